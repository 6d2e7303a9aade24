source "null" "a" {}
source "null" "b" {}
source "null" "c" {}

build {
  sources = ["null.a", "source.null.b", "sources.null.c"]
}
