# kiln-test: -only=null.* -except=*.b
source "null" "a" {}
source "null" "b" {}

build {
  sources = ["null.a", "null.b"]
}
