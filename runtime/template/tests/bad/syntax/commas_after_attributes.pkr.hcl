variable "x" {
  type = string,
  default = "a",
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
