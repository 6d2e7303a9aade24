# kiln-test: -except=null.b
source "null" "a" {}
source "null" "b" {}

build {
  sources = ["null.a", "null.b"]
}
