# kiln-test: -inspect
variable "vm" {
  type    = object({ name = string })
  default = { name = "x", extra = 1 }
}
