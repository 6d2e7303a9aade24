# kiln-test: -data -inspect
data "null" "a" {
  input = "x"
}

locals {
  by_name  = data.null["a"].output
  by_names = data["null"]["a"]["output"]
}
