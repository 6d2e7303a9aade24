source "null" "a" {}

build {
  sources = ["null.a"]
  post-processors {
    post-processor "checksum" {
      keep_input_artifact = true
    }
    post-processor "checksum" {
      keep_input_artifact = false
    }
    post-processor "checksum" {}
  }
}
