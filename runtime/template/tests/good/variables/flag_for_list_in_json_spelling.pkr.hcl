# kiln-test: -inspect -var 'ports=[80,443]'
variable "ports" {
  type = list(number)
}
