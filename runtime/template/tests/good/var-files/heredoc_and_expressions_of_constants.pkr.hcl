# kiln-test: -inspect -var-file inputs/constants.pkrvars.hcl
variable "text" {}
variable "sum" {}
