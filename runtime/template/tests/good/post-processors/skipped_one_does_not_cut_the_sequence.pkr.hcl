source "null" "a" {}

build {
  sources = ["null.a"]
  post-processors {
    post-processor "checksum" {
      except = ["null.a"]
    }
    post-processor "manifest" {}
  }
}
