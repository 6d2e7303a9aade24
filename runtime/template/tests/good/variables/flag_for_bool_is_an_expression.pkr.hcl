# kiln-test: -inspect -var on=true
variable "on" {
  type    = bool
  default = false
}
