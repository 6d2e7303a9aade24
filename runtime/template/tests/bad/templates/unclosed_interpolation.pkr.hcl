locals {
  a = "x ${1 + 1"
}
