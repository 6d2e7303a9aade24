source "null" "a" {}

build {
  sources = [5]
}
