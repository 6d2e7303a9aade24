# kiln-test: -inspect
variable "map" {
  type    = map(number)
  default = { a = "1", b = 2 }
}
