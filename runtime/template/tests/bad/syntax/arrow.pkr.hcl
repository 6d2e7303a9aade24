variable "size" {
  default => "x"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
