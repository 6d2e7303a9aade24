variable "x" {
  type = text
}
