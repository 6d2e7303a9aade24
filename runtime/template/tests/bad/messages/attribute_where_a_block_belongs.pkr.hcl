build {
  sources     = ["null.x"]
  provisioner = "shell-local"
}
source "null" "x" {}
