# kiln-test: -inspect
locals {
  big = { for k, v in { a = 1, b = 20 } : k => v if v > 10 }
}
