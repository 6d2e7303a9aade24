variable "x" {
  default = ["a", "b"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
