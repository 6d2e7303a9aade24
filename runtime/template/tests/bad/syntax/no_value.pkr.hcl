variable "x" {
  default =
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
