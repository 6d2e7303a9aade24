variable "size" {
  type: number
  default = 4
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
