source "null" "a" {}
source "null" "b" {}

build {
  source "null.a" {}
  sources = ["null.b"]
}
