# kiln-test: -var-file inputs/locals.pkrvars.hcl
source "null" "a" {}

build {
  sources = ["null.a"]
}
