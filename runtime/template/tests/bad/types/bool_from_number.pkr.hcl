variable "flag" {
  type    = bool
  default = 1
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
