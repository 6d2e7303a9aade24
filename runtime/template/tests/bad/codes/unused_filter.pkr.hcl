# kiln-test: -except=null.y
source "null" "x" {}
build {
  sources = ["null.z"]
}
