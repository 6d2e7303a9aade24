# kiln-test: -var size=big
variable "size" {
  type = number
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
