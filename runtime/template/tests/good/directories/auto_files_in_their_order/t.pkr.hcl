# kiln-test: -inspect
variable "x" {
  default = "default"
}

variable "y" {
  default = "default"
}

variable "z" {
  default = "default"
}
