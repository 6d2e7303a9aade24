source "null" "x" {}

build {
  name    = "one"
  sources = ["null.x"]
  provisioner "shell" {
    inline = ["one"]
  }
}
