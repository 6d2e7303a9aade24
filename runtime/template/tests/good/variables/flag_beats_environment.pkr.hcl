# kiln-test: -inspect -env PKR_VAR_name=environment -var name=flag
variable "name" {
  default = "default"
}
