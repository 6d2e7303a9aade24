variable "x" {
  default = 'it'
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
