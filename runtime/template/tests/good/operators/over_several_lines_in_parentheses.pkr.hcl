# kiln-test: -inspect
locals {
  total = (
    1
    + 2
    + 3
  )
}
