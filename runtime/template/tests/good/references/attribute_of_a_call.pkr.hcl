# kiln-test: -inspect
locals {
  a = jsondecode("{\"a\": [1, 2]}").a[1]
  b = { x = 1 }.x
  c = [10, 20][1]
}
