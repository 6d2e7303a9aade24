# kiln-test: -only=null.a
source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "manifest" {}
}
