# kiln-test: -inspect
locals {
  list = ["a", "b", "c"]
  last = local.list[length(local.list) - 1]
  map  = { k1 = "v" }
  item = local.map["k${1}"]
}
