variable "n" {
  type    = number
  default = 1
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
