# kiln-test: -inspect
locals {
  upper   = [for s in ["a", "b"] : upper(s)]
  indexed = [for i, s in ["a", "b"] : "${i}:${s}"]
}
