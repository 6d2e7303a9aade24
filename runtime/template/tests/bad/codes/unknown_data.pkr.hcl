locals {
  page = data.http.page.body
  also = data.htpp.page.body
}
data "http" "home" {
  url = "https://example.com/"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
