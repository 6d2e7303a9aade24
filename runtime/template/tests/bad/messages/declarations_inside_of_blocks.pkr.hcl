source "null" "x" {
  variable "y" {}
}
build {
  sources = ["null.x"]
  locals {
    a = 1
  }
}
