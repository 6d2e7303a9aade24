# kiln-test: -inspect
variable "password" {
  default   = "s3cret"
  sensitive = true
}

locals {
  login  = { user = "ann", password = var.password }
  public = local.login.user
  secret = local.login.password
}
