# kiln-test: -inspect -var-file inputs/empty.pkrvars.hcl
variable "name" {
  default = "x"
}
