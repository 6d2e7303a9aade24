# kiln-test: -inspect
source "null" "x" {}
source "null" "y" {}

build {
  sources = ["null.x"]
}

build {
  sources = ["null.y"]
}
