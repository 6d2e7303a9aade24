# kiln-test: -inspect
locals {
  a = "true" ? 1 : 2
  b = "0" ? 1 : 2
}
