# kiln-test: -inspect
locals {
  exact     = 0.1 + 0.2
  quotient  = 7 / 2
  remainder = 7 % 3
  negative  = -7 % 3
  minus     = -(3 - 5)
  thirds    = 1 / 3 * 3
}
