source "null" "machine" {}

build {
  source "null.machin" {
    name = "x"
  }
}
