varable "x" {}

stray = 1

variable "a" {
  tipe    = string
  default = 1
}

variable "a" {
  default = nothing(1)
}

locals {
  x = 1
}

local "x" {
  expression = 2
}

build {}

source "qemu" {}

data "http" "p" {}
data "http" "p" {}
