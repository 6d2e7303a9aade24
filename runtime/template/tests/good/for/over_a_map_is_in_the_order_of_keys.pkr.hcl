# kiln-test: -inspect
locals {
  pairs = [for k, v in { b = 2, a = 1 } : "${k}=${v}"]
  one   = [for v in { b = 2, a = 1 } : v]
}
