# kiln-test: -only=chocolate
source "null" "a" {}

build {
  name    = "chocolate"
  sources = ["null.a"]
}
