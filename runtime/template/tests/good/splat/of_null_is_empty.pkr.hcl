# kiln-test: -inspect
locals {
  nothing = null
  list    = local.nothing[*]
}
