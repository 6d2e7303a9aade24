source "qemu" "unfinished" {}

source "null" "x" {}

build {
  sources = ["null.x"]
}
