source "null" "a" {}
source "null" "b" {}

build {
  sources = ["null.a", "null.b"]
  provisioner "shell" {
    only   = ["null.b"]
    inline = [source.nmae]
  }
}
