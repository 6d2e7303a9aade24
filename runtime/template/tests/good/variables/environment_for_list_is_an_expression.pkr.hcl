# kiln-test: -inspect -env 'PKR_VAR_names=["from", "outside"]'
variable "names" {
  type = set(string)
}
