# kiln-test: -except=upload
source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "manifest" {
    name = "upload"
  }
  post-processor "manifest" {}
}
