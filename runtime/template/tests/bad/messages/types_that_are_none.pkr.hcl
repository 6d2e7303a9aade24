variable "type" {
  type = "strng"
}
variable "list" {
  type = list
}
variable "object" {
  type = object({ a })
}
variable "call" {
  type = array(string)
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
