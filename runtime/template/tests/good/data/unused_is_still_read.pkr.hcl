# kiln-test: -data
data "null" "unused" {
  input = "x"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
