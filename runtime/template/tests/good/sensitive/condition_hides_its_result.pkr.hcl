# kiln-test: -inspect
variable "on" {
  default   = true
  sensitive = true
}

locals {
  choice = var.on ? "a" : "b"
}
