source "null" "x" {}
build {
  sources = [source.null.x]
}
build {
  name = "empty"
}
