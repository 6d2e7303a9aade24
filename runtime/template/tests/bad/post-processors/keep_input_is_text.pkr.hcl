source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "manifest" {
    keep_input_artifact = "always"
  }
}
