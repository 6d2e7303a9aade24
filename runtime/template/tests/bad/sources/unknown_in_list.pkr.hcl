source "null" "a" {}

build {
  sources = ["null.b"]
}
