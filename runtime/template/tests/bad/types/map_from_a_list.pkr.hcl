variable "m" {
  type    = map(string)
  default = ["a"]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
