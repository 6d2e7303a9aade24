# kiln-test: -inspect
variable "set" {
  type    = set(number)
  default = [10, 9, 100, "9"]
}
