# kiln-test: -inspect
locals {
  list = convert(["b", "a"], set(string))[*]
}
