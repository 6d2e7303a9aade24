locals {
  a = "%{ if [] }x%{ endif }"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
