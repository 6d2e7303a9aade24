# kiln-test: -data -inspect
locals {
  host = "example.invalid"
  page = data.http.page.body
}

data "http" "page" {
  url = "https://${local.host}/"
}
