locals {
  name = "x"
}

source "null" "x" {
  ssh_host = local.nam
}

build {
  sources = ["null.x"]
}
