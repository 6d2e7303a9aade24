# kiln-test: -var-file vars.txt -var-file vars.hcl -var-file vars.json
source "null" "x" {}
build {
  sources = ["null.x"]
}
