source "null" "a" {
  only = ["x"]
}

build {
  sources = ["null.a"]
}
