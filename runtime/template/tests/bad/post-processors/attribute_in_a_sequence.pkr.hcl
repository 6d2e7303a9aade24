source "null" "a" {}

build {
  sources = ["null.a"]
  post-processors {
    name = "x"
    post-processor "manifest" {}
  }
}
