# kiln-test: -inspect
variable "pair" {
  type    = tuple([string, number])
  default = [1, "2"]
}
