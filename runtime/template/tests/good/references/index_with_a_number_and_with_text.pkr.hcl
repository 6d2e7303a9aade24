# kiln-test: -inspect
locals {
  list   = ["a", "b"]
  map    = { x = { y = "deep" } }
  second = local.list[1]
  text   = local.list["0"]
  deep   = local.map["x"].y
  dotted = local.list.0
}
