source "null" "x" {}

build {
  name    = ["x"]
  sources = ["null.x"]
}
