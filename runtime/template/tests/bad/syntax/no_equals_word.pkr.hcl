variable "sizes" {
  sensitive true
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
