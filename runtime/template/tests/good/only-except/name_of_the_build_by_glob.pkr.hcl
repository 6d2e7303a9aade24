# kiln-test: -only=second.*
source "null" "x" {}

build {
  name    = "first"
  sources = ["null.x"]
}

build {
  name    = "second"
  sources = ["null.x"]
}
