locals {
  a = { for s in ["x"] : s }
}
