variable "quick" {
  default = false
}

source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    except = var.quick ? ["null.a"] : null
  }
}
