# Two checksums of one file.

source "file" "note" {
  content = "hello\n"
  target  = "note.txt"
}

build {
  sources = ["source.file.note"]

  post-processor "checksum" {
    checksum_types = ["sha256", "sha512"]
    output         = "{{ .BuildName }}.{{ .ChecksumType }}"
  }
}
