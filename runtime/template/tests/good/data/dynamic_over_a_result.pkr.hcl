# kiln-test: -data
data "null" "sizes" {
  input = "1G,2G"
}

source "qemu" "x" {
  iso_url = "x"
  dynamic "disk" {
    for_each = split(",", data.null.sizes.output)
    content {
      size = disk.value
    }
  }
}

build {
  sources = ["qemu.x"]
}
