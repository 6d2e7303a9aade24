source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "manifest" {
    max_retries = 3
  }
}
