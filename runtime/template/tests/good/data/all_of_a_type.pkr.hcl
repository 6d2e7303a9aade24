# kiln-test: -data -inspect
data "null" "a" {
  input = "1"
}

data "null" "b" {
  input = "2"
}

locals {
  outputs = [for name, d in data.null : "${name}=${d.output}"]
}
