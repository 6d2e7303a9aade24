# kiln-test: -inspect
variable "vm" {
  type    = object({ memory = optional(number, 1024) })
  default = { memory = null }
}
