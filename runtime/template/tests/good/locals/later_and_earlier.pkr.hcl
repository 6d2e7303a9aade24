# kiln-test: -inspect
locals {
  first  = "${local.second}!"
  second = upper(local.third)
}

locals {
  third = "three"
}
