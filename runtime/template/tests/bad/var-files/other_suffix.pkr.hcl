# kiln-test: -var-file inputs/values.txt
source "null" "a" {}

build {
  sources = ["null.a"]
}
