# kiln-test: -inspect
local "token" {
  expression = "abc"
  sensitive  = true
}

locals {
  header = "Bearer ${local.token}"
}
