source "null" "x" {}
build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline = ["echo ${var.x", "b"]
  }
}
