local "a" {
  expression = 1
}

locals {
  a = 2
}
