provider "aws" {}
source "null" "x" {}
build {
  sources = ["null.x"]
}
