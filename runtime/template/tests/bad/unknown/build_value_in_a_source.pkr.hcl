source "null" "a" {
  ssh_host = build.Host
}

build {
  sources = ["null.a"]
}
