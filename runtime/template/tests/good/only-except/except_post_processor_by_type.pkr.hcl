# kiln-test: -except=checksum
source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "checksum" {}
  post-processor "manifest" {}
}
