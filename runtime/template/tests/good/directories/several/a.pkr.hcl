variable "one" { default = "default" }
variable "two" { default = "default" }
source "null" "x" {
  ssh_host = "${var.one}-${var.two}-${local.z}-${file("text.txt")}-${templatefile("t.tpl", { names = ["p", "q"] })}"
}
