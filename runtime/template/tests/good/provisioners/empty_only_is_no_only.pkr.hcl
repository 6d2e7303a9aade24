source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    only   = []
    inline = ["runs"]
  }
}
