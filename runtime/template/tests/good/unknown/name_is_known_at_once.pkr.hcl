source "null" "a" {}

build {
  name    = "b"
  sources = ["null.a"]
  provisioner "shell" {
    inline = [build.name]
  }
}
