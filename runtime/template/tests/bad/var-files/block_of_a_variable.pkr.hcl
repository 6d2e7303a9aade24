# kiln-test: -var-file inputs/block.pkrvars.hcl
variable "name" {
  default = "x"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
