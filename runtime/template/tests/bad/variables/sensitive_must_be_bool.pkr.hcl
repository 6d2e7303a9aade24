variable "x" {
  default   = 1
  sensitive = "maybe"
}
