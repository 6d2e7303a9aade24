# kiln-test: -inspect
variable "s" {
  type    = "string"
  default = 5
}
