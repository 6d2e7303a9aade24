variable "pair" {
  type    = tuple([string, number])
  default = ["only one"]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
