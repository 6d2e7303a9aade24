locals {
  name = "${var.host}-1"
}
