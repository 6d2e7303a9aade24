variable "x" {
  default = upper("no")
}
