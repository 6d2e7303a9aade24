locals {
  a = true ? "x"
}
