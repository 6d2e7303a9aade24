variable "x" {
  default  = 1
  nullable = false
}
