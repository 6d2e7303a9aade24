source "null" "a" {}

build {
  sources = ["null.a"]
  post-processors {
    post-processors {
      post-processor "manifest" {}
    }
  }
}
