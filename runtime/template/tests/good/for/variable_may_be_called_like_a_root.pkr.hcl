# kiln-test: -inspect
variable "a" {
  default = "variable"
}

locals {
  items = [for local in ["x"] : local]
}
