# kiln-test: -inspect
locals {
  one  = { name = "x" }
  list = local.one[*].name
}
