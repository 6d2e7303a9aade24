variable "sizes" {
  default ["a", "b"]
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
