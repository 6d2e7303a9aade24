source "null" "a" {}
source "null" "a" {}

build {
  sources = ["null.a"]
}
