source "null" "x" {}

build {
  provisioner "shell" {}
}
