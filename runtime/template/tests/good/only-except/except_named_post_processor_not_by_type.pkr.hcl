# kiln-test: -except=manifest
source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "manifest" {
    name = "kept"
  }
  post-processor "manifest" {}
}
