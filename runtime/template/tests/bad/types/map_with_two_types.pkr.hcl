variable "x" {
  type = map(string, number)
}
