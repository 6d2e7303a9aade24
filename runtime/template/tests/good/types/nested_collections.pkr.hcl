# kiln-test: -inspect
variable "matrix" {
  type    = map(list(number))
  default = { a = [1, "2"], b = [] }
}
