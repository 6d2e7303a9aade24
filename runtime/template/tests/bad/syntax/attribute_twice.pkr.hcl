variable "x" {
  default = 1
  type    = number
  default = 2
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
