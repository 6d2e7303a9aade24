# kiln-test: -inspect
locals {
  by_length = { for s in ["a", "bb", "c"] : length(s) => s... }
}
