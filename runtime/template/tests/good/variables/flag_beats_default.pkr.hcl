# kiln-test: -inspect -var name=flag
variable "name" {
  default = "default"
}
