locals {
  a = "one
two"
}
