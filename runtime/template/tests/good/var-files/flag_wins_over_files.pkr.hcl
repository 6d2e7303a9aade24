# kiln-test: -inspect -var name=flag -var-file inputs/one.pkrvars.hcl
variable "name" {}
variable "list" {
  default = []
}
