variable "n" {
  type    = number
  default = ""
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
