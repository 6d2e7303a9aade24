source "null" "a" {}

build {
  source "null.a" {
    name = "one"
  }
  source "source.null.a" {
    name = "two"
  }
  source "sources.null.a" {
    name = "three"
  }
}
