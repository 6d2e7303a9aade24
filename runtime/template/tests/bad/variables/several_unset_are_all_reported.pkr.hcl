variable "first" {}
variable "second" {
  type = string
}
variable "third" {
  default = "fine"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
