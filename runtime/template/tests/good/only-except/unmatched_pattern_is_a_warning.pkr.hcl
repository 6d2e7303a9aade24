# kiln-test: -only=null.a,null.typo
source "null" "a" {}

build {
  sources = ["null.a"]
}
