build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline = ["true"]
}

source "null" "x" {}
