# kiln-test: -data -inspect
data "null" "a" {
  input = "x"
}

locals {
  other = try(data.null.a.nothing, "fallback")
}
