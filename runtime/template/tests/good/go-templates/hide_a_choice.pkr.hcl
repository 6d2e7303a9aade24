source "qemu" "a" {
  iso_url = "x"
  format  = "{{ lower `RAW` }}"
}

build {
  sources = ["qemu.a"]
}
