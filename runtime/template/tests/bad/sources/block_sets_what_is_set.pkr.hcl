source "null" "a" {
  ssh_host = "one"
}

build {
  source "null.a" {
    ssh_host = "two"
  }
}
