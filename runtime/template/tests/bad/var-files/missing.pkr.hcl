# kiln-test: -var-file inputs/none.pkrvars.hcl
source "null" "a" {}

build {
  sources = ["null.a"]
}
