# Records what was built.

source "file" "note" {
  content = "hello\n"
  target  = "note.txt"
}

build {
  sources = ["source.file.note"]

  post-processor "manifest" {
    output      = "manifest.json"
    strip_path  = true
    custom_data = { purpose = "example" }
  }
}
