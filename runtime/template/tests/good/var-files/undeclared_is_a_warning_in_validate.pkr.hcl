# kiln-test: -inspect -warn-undeclared -var-file inputs/one.pkrvars.hcl
variable "name" {
  default = "x"
}
