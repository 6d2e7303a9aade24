# kiln-test: -inspect -var-file inputs/one.pkrvars.hcl -var-file inputs/two.pkrvars.hcl
variable "name" {}
variable "list" {
  default = []
}
