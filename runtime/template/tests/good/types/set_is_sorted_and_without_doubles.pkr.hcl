# kiln-test: -inspect
variable "set" {
  type    = set(string)
  default = ["b", "a", "b"]
}

locals {
  count = length(var.set)
}
