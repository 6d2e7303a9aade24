source "null" "same" {}

source "qemu" "same" {
  iso_url = "x"
}

build {
  sources = ["null.same", "qemu.same"]
}
