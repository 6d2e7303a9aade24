# Writes a file and lists it in a manifest.

source "file" "note" {
  content = "hello\n"
  target  = "note.txt"
}

build {
  sources = ["source.file.note"]

  post-processor "manifest" {}
}
