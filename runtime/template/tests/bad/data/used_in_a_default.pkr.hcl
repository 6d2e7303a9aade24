data "null" "a" {
  input = "x"
}

variable "v" {
  default = data.null.a.output
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
