source "null" "a" {}

build {
  sources = ["null.a"]
  post-processor "checksum" {
    output = "{{ .BuildName }}_{{ .ChecksumType }}.sum"
  }
}
