# A value that flows through a data source.

data "null" "greeting" {
  input = "hello"
}

source "file" "note" {
  content = data.null.greeting.output
  target  = "note.txt"
}

build {
  sources = ["source.file.note"]
}
