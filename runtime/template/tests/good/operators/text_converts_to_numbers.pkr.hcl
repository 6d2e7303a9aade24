# kiln-test: -inspect
locals {
  sum     = "4" + 3
  greater = "10" > 9
}
