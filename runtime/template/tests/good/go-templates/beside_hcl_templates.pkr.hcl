locals {
  who = "world"
}

source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = ["${local.who} {{ timestamp }} $${not} {{`{{ raw }}`}}"]
  }
}
