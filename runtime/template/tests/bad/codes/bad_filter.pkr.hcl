# kiln-test: -only=a[,b
source "null" "x" {}
build {
  sources = ["null.x"]
}
