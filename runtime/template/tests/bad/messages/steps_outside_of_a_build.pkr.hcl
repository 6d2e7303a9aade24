provisioner "shell-local" {
  inline = ["true"]
}
post-processor "manifest" {}
source "null" "x" {}
build {
  sources = ["null.x"]
}
