# kiln-test: -only=null.a
source "null" "a" {}

build {
  name    = "named"
  sources = ["null.a"]
}
