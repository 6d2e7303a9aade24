# kiln-test: -var 'names=[upper("a")]'
variable "names" {
  type = list(string)
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
