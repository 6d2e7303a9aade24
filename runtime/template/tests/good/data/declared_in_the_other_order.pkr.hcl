# kiln-test: -data -inspect
locals {
  result = data.null.last.output
}

data "null" "last" {
  input = "${data.null.begin.output}-end"
}

data "null" "begin" {
  input = "begin"
}
