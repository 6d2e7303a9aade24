variable "x" {
  default = “smart”
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
