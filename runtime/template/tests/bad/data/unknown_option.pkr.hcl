data "null" "a" {
  inputt = "1"
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
