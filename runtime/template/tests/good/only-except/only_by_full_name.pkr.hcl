# kiln-test: -only=null.a
source "null" "a" {}
source "null" "b" {}

build {
  sources = ["null.a", "null.b"]
}
