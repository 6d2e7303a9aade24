# kiln-test: -inspect
locals {
  items = [for k, v in convert(["y", "x"], set(string)) : "${k}${v}"]
}
