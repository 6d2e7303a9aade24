# kiln-test: -inspect -var-file inputs/one.pkrvars.json
variable "name" {}
variable "list" {
  default = ["default"]
}
