# kiln-test: -only=null.a,null.c
source "null" "a" {}
source "null" "b" {}
source "null" "c" {}

build {
  sources = ["null.a", "null.b", "null.c"]
}
