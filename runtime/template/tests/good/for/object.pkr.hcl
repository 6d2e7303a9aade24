# kiln-test: -inspect
locals {
  lengths = { for s in ["one", "three"] : s => length(s) }
  swapped = { for k, v in { a = "x", b = "y" } : v => k }
}
