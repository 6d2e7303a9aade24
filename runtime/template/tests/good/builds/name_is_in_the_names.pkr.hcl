source "null" "x" {}

build {
  name    = "golden"
  sources = ["null.x"]
}
