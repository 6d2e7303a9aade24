# kiln-test: -inspect
locals {
  list   = "${[1, 2]}"
  number = "${5}"
  sum    = "${5}" + 1
}
