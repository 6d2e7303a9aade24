# kiln-test: -data -inspect
data "null" "a" {
  input = "$${var.x}"
}

locals {
  text = data.null.a.output
}
