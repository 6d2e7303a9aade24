# kiln-test: -inspect
locals {
  nothing = null
  test    = local.nothing == null ? "is null" : "is set"
}
