# kiln-test: -var names=5
variable "names" {
  type = list(string)
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
