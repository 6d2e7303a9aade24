# kiln-test: -inspect
variable "base" {
  default = "b"
}

locals {
  root = "${path.root}/${var.base}"
  cwd  = path.cwd
}
