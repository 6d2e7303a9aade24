source "null" "a" {
  ssh_host = source.name
}

build {
  sources = ["null.a"]
}
