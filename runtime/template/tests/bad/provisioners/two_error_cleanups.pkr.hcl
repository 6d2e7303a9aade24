source "null" "a" {}

build {
  sources = ["null.a"]
  error-cleanup-provisioner "shell-local" {}
  error-cleanup-provisioner "shell" {}
}
