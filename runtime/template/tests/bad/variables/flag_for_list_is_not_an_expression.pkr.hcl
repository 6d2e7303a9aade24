# kiln-test: -var 'names=a, b'
variable "names" {
  type = list(string)
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
