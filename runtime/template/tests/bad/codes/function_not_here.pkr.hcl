locals {
  home = env("HOME")
}
variable "file" {
  default = file("x.txt")
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
