# kiln-test: -inspect -var-file inputs/one.pkrvars.hcl
variable "name" {}
variable "list" {
  default = ["default"]
}
