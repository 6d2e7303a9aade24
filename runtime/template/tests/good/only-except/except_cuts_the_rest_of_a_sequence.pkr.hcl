# kiln-test: -except=stop
source "null" "a" {}

build {
  sources = ["null.a"]
  post-processors {
    post-processor "checksum" {}
    post-processor "manifest" {
      name = "stop"
    }
    post-processor "checksum" {}
  }
}
