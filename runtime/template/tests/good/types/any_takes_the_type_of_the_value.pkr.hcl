# kiln-test: -inspect -var x=5
variable "x" {
  type = any
}

variable "y" {
  type    = any
  default = { a = [1] }
}
