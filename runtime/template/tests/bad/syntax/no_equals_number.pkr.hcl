variable "size" {
  default 4
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
