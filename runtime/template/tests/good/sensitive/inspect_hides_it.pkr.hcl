# kiln-test: -inspect
variable "password" {
  default   = "s3cret"
  sensitive = true
}

locals {
  derived  = upper(var.password)
  in_list  = ["public", var.password]
  a_length = length(var.password)
  public   = "nothing to hide"
}
