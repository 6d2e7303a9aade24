# In legacy JSON it is false; HCL converts no empty text.
variable "headless" {
  default = ""
}
source "qemu" "a" {
  iso_url  = "a.iso"
  headless = "${var.headless}"
  memory   = ""
}
build {
  sources = ["qemu.a"]
}
