# kiln-test: -only=null.?
source "null" "a" {}
source "null" "ab" {}

build {
  sources = ["null.a", "null.ab"]
}
