variable "never_used" {}

source "null" "x" {}

build {
  sources = ["null.x"]
}
