# kiln-test: -env PKR_VAR_other=x
source "null" "x" {}

build {
  sources = ["null.x"]
}
