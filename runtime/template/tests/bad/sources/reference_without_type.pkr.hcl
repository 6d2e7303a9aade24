source "null" "a" {}

build {
  sources = ["a"]
}
