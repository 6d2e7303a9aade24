builders "null" {}
source "null" "x" {}
build {
  sources = ["null.x"]
}
