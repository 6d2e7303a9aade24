# kiln-test: -inspect
locals {
  a = true ? null : "x"
  b = false ? null : "x"
}
