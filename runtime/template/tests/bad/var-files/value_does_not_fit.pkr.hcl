# kiln-test: -var-file inputs/wrong.pkrvars.hcl
variable "size" {
  type = number
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
