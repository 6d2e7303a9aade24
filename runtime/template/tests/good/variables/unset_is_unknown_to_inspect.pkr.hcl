# kiln-test: -inspect
variable "token" {}

locals {
  header = "Bearer ${var.token}"
  fixed  = "x"
}
