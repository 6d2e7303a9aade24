# kiln-test: -inspect -var-file inputs/mixed.pkrvars.hcl
variable "anything" {
  default = []
}
