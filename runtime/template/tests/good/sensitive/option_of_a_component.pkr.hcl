source "null" "a" {
  ssh_password = "known to the schema"
}

build {
  sources = ["null.a"]
}
