# kiln-test: -inspect -var name=first -var name=second
variable "name" {
  default = "default"
}
