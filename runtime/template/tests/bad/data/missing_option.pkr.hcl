data "http" "a" {}

source "null" "x" {}

build {
  sources = ["null.x"]
}
