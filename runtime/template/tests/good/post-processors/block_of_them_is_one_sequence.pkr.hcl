source "null" "a" {}

build {
  sources = ["null.a"]
  post-processors {
    post-processor "checksum" {}
    post-processor "manifest" {}
  }
  post-processors {
    post-processor "manifest" {}
  }
}
