locals {
  file = name
  also = vra.x
}
variable "a" {
  default = b
}
source "null" "x" {
  ssh_host = localhost
}
build {
  sources = ["null.x"]
}
