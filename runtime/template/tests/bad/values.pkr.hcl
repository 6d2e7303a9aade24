variable "needed" {}

variable "count" {
  type    = number
  default = "many"
}

variable "checked" {
  default = 3
  validation {
    condition     = var.checked > 5
    error_message = "Must be above five."
  }
  validation {
    condition     = var.checked > 1
    error_message = "Fine."
  }
}

locals {
  a = local.b
  b = local.c
  c = "${local.a}"
  d = var.cuont
  e = upper(5, 6)
}

data "htp" "x" {}

data "http" "y" {
  urk = "x"
}

build {
  sources = ["null.x"]
}

source "null" "x" {}
