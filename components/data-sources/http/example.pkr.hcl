# A file out of what a server says.

data "http" "answer" {
  url             = "https://example.com/"
  request_headers = { Accept = "text/html" }
}

source "file" "note" {
  content = data.http.answer.body
  target  = "note.html"
}

build {
  sources = ["source.file.note"]
}
