source "null" "x" {
  ssh_host = each.key
}

build {
  sources = ["null.x"]
}
