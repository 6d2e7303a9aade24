source "null" "a" {}
source "null" "b" {}

build {
  sources = ["null.a", "null.b"]
  provisioner "shell" {
    inline = [var.missing]
  }
}
