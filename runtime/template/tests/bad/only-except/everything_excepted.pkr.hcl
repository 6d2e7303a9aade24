# kiln-test: -except=*
source "null" "a" {}

build {
  sources = ["null.a"]
}
