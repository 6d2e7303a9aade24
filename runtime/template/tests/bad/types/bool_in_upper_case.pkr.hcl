variable "flag" {
  type    = bool
  default = "True"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
