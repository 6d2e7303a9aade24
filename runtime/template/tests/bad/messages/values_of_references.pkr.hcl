variable "secret" {
  default   = "hunter2"
  sensitive = true
}
variable "long" {
  default = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiiiiiiijjjjjjjjjjkkkkkkkkkk"
}
variable "list" {
  default = ["a", "b"]
}
locals {
  a = var.secret + 1
  b = var.long + 1
  c = var.list + 1
  d = "${var.secret}${var.list}"
  e = var.list[5]
  f = substr(var.secret, "x", 1)
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
