variable "x" {
  default = 1
  check {
    condition = true
  }
}
