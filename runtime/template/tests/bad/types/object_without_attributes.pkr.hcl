variable "x" {
  type = object
}
