source "null" "a" {
  ssh_host = "${var.host}.${local.domain}"
}

build {
  sources = ["null.a"]
}
