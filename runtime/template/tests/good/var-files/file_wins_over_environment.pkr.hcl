# kiln-test: -inspect -env PKR_VAR_name=environment -var-file inputs/one.pkrvars.hcl
variable "name" {}
variable "list" {
  default = []
}
