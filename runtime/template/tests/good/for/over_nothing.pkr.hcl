# kiln-test: -inspect
locals {
  list   = [for x in [] : x]
  object = { for k, v in {} : k => v }
}
