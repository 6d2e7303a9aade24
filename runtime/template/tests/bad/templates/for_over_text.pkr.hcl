locals {
  a = "%{ for c in "abc" }${c}%{ endfor }"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
