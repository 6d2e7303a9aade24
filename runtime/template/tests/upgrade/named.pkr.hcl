source "null" "here" {
  communicator = "none"
}

build {
  sources = ["source.null.here"]
}
