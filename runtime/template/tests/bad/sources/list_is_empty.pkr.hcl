source "null" "a" {}

build {
  sources = []
}
