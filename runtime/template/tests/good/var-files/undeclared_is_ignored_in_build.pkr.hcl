# kiln-test: -inspect -var-file inputs/one.pkrvars.hcl
variable "name" {
  default = "x"
}
