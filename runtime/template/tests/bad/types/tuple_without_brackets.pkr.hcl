variable "x" {
  type = tuple(string, number)
}
