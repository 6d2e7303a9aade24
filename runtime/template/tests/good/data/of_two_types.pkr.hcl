# kiln-test: -data -inspect
data "null" "same" {
  input = "1"
}

data "http" "same" {
  url = "u"
}

locals {
  both = [data.null.same.output, data.http.same.body]
}
