locals {
  home = env("HOME")
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
