# kiln-test: -var-file inputs/twice.pkrvars.hcl
variable "name" {}

source "null" "a" {}

build {
  sources = ["null.a"]
}
