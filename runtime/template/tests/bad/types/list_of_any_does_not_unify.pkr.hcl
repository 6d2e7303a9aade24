variable "list" {
  type    = list(any)
  default = ["a", ["b"]]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
