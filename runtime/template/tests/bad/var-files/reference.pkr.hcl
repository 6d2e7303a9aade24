# kiln-test: -var-file inputs/reference.pkrvars.hcl
variable "name" {
  default = "x"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
