# kiln-test: -inspect -env A=one
variable "list" {
  default = [env("A"), "two"]
}
