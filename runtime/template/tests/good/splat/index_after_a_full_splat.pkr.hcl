# kiln-test: -inspect
locals {
  rows   = [[1, 2], [3, 4]]
  firsts = local.rows[*][0]
}
