variable "size" {
  description "how large"
  default = 4
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
