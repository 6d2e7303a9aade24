variable "format" {
  default   = "secret-format"
  sensitive = true
}

source "qemu" "a" {
  iso_url = "x"
  format  = var.format
}

build {
  sources = ["qemu.a"]
}
