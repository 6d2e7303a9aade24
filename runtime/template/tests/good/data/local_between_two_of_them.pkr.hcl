# kiln-test: -data -inspect
data "null" "a" {
  input = "x"
}

locals {
  middle = upper(data.null.a.output)
}

data "null" "b" {
  input = local.middle
}

locals {
  last = data.null.b.output
}
