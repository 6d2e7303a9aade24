source "qem" "vm" {}

build {
  sources = ["qem.vm"]
}
