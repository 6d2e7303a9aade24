# kiln-test: -inspect -var 'text=${not.evaluated}'
variable "text" {
  type = string
}
