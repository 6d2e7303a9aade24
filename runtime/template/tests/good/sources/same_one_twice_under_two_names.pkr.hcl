source "qemu" "base" {
  iso_url = "x"
}

build {
  source "qemu.base" {
    name   = "small"
    memory = 512
  }
  source "qemu.base" {
    name   = "large"
    memory = 8192
  }
}
