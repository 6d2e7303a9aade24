# kiln-test: -inspect
locals {
  deep = "a ${upper("b ${lower("C ${"d"}")}")}"
}
