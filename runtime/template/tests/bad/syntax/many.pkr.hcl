locals {
  a = 5 5
  b = -
  c = ?
}
variable "one" {
  default: 1
}
variable "two" {
  type = number
  default = "two"
}
source "null" "x" {
  ssh_host = local.a
  ssh_hots = "x"
}
build {
  sources = ["null.x"
  provisioner "shell-local" {}
}
bild {
}
