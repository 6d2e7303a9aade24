# kiln-test: -only=other.*
source "null" "x" {}
build {
  sources = ["null.x"]
}
