# kiln-test: -inspect
locals {
  text = true ? 5 : "five"
  list = false ? [] : ["a"]
}
