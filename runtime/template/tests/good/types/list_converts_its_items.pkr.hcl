# kiln-test: -inspect
variable "list" {
  type    = list(string)
  default = [1, true, "x"]
}
