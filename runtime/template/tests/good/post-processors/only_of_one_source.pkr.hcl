source "null" "a" {}
source "null" "b" {}

build {
  sources = ["null.a", "null.b"]
  post-processor "manifest" {
    only = ["null.a"]
  }
}
