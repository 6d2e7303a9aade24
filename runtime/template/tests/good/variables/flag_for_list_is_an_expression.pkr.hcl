# kiln-test: -inspect -var 'names=["a", "b"]'
variable "names" {
  type = list(string)
}
