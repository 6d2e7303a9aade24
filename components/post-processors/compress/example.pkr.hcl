# Packs a file.

source "file" "note" {
  content = "hello\n"
  target  = "note.txt"
}

build {
  sources = ["source.file.note"]

  post-processor "compress" {
    output            = "{{ .BuildName }}.tar.gz"
    compression_level = 9
  }
}
