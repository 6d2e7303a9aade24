# kiln-test: -only=*.large
source "null" "base" {}

build {
  source "null.base" {
    name = "small"
  }
  source "null.base" {
    name = "large"
  }
}
