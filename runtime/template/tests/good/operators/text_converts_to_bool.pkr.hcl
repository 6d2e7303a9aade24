# kiln-test: -inspect
locals {
  both = "true" && true
  not  = !"false"
}
