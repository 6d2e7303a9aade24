locals {
  text = "${字.value} and ${upper(漢)}"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
