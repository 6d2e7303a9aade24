# kiln-test: -var nmae=x
variable "name" {
  default = 1
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
