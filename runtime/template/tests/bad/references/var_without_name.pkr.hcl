source "null" "x" {
  ssh_host = var
}

build {
  sources = ["null.x"]
}
