source "null" "x" {
  ssh_host = data.http.page.body
}

build {
  sources = ["null.x"]
}
