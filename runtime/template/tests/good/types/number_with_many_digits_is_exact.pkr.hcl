# kiln-test: -inspect
variable "n" {
  type    = number
  default = 123456789012345678901234567890.5
}

locals {
  shown = var.n + 0.25
  exact = "n=${local.shown}"
}
