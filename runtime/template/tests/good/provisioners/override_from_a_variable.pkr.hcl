variable "special" {
  default = { a = { inline = ["special"] } }
}

source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline   = ["normal"]
    override = var.special
  }
}
