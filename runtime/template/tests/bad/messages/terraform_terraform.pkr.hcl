terraform {
  required_version = "1"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
