source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline   = ["stays"]
    override = { elsewhere = { inline = ["gone"] } }
  }
}
