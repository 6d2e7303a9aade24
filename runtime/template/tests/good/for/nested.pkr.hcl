# kiln-test: -inspect
locals {
  table = [for r in ["a", "b"] : [for c in [1, 2] : "${r}${c}"]]
  flat  = flatten([for r in ["a", "b"] : [for c in [1, 2] : "${r}${c}"]])
}
