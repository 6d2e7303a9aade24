# kiln-test: -inspect
locals {
  plain = 1
}

local "block" {
  expression = local.plain + 1
}
