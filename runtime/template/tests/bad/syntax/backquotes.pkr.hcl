variable "x" {
  default = `back`
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
