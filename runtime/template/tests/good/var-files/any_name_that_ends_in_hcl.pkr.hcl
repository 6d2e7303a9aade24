# kiln-test: -inspect -var-file inputs/plain.hcl
variable "size" {
  type = number
}
