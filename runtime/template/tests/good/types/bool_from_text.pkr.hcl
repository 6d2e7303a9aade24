# kiln-test: -inspect
variable "yes" {
  type    = bool
  default = "true"
}

variable "one" {
  type    = bool
  default = "1"
}

locals {
  both = var.yes && var.one
}
