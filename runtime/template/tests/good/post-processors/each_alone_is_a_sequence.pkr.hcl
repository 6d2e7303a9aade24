source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "manifest" {
    output = "one"
  }
  post-processor "manifest" {
    output = "two"
  }
}
