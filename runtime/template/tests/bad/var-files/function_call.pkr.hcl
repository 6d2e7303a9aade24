# kiln-test: -var-file inputs/call.pkrvars.hcl
variable "name" {
  default = "x"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
