# kiln-test: -inspect
locals {
  product_first    = 2 + 3 * 4
  parentheses      = (2 + 3) * 4
  and_before_or    = true || false && false
  comparison_first = 1 + 1 == 2 && 3 > 2
  not_binds_first  = !false && true
}
