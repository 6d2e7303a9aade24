# kiln-test: -inspect
variable "list" {
  type    = list(any)
  default = ["a", 1]
}
