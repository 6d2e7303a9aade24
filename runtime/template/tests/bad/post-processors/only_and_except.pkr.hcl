source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "manifest" {
    only   = ["null.a"]
    except = ["null.a"]
  }
}
