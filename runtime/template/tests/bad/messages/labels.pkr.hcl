source "null" {}
source "null" "x" "y" {}
variable {}
locals "x" {}
build "x" {
  sources = ["null.x"]
}
