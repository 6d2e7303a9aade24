data "amazon-amii" "a" {
  filters = {}
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
