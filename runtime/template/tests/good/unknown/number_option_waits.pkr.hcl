data "null" "a" {
  input = "1024"
}

source "qemu" "a" {
  iso_url = "x"
  memory  = data.null.a.output
}

build {
  sources = ["qemu.a"]
}
