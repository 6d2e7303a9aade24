# kiln-test: -only=n*a
source "null" "a" {}
source "null" "b" {}

build {
  name    = "named"
  sources = ["null.a", "null.b"]
}
