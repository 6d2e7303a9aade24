# kiln-test: -var-file inputs/list.pkrvars.json
source "null" "a" {}

build {
  sources = ["null.a"]
}
