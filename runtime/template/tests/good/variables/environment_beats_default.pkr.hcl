# kiln-test: -inspect -env PKR_VAR_name=environment
variable "name" {
  default = "default"
}
