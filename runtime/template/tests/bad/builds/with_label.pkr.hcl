source "null" "x" {}

build "x" {
  sources = ["null.x"]
}
