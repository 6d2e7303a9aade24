# kiln-test: -data -inspect
data "null" "first" {
  input = "one"
}

data "null" "second" {
  input = "${data.null.first.output} two"
}

locals {
  both = data.null.second.output
}
