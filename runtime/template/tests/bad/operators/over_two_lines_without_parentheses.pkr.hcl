locals {
  total = 1
    + 2
}
