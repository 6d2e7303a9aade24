variable "x" {
  default    = 1
  validation = { condition = true, error_message = "No." }
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
