# kiln-test: -except=up*
source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "manifest" {
    name = "upload-east"
  }
  post-processor "manifest" {
    name = "keep"
  }
}
