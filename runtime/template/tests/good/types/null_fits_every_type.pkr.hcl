# kiln-test: -inspect
variable "list" {
  type    = list(string)
  default = null
}

variable "object" {
  type    = object({ a = string })
  default = null
}
