# kiln-test: -inspect
locals {
  yes = true ? "a" : "b"
  no  = false ? "a" : "b"
}
