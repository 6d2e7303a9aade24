# kiln-test: -inspect
locals {
  text   = convert(5, string)
  set    = convert(["a", "a"], set(string))
  object = convert({ a = "1" }, object({ a = number, b = optional(bool, true) }))
}
