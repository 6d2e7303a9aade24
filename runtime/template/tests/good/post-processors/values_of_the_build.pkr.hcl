# kiln-test: -late ID=i-1
source "null" "a" {}

build {
  name    = "b"
  sources = ["null.a"]
  post-processor "manifest" {
    custom_data = {
      id     = build.ID
      name   = "${build.name}/${source.name}"
      static = "x"
    }
  }
}
