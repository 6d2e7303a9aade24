# kiln-test: -inspect
variable "vm" {
  type    = object({ name = string, zone = optional(string) })
  default = { name = "x" }
}

locals {
  zone = var.vm.zone == null ? "anywhere" : var.vm.zone
}
