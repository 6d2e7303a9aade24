# kiln-test: -inspect
locals {
  even = [for n in range(6) : n if n % 2 == 0]
}
