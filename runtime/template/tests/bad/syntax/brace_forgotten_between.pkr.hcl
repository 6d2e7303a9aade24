variable "x" {
  default = 1

variable "y" {
  default = 2
}

source "null" "x" {}
build {
  sources = ["null.x"]
}
