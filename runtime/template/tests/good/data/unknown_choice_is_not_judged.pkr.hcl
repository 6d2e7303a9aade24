data "null" "format" {
  input = "not-a-format"
}

source "qemu" "x" {
  iso_url = "x"
  format  = data.null.format.output
}

build {
  sources = ["qemu.x"]
}
