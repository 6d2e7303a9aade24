# kiln-test: -inspect -var name=
variable "name" {
  type    = string
  default = "something"
}
