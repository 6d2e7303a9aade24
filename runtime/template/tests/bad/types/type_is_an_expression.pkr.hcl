variable "x" {
  type = 1 + 1
}
