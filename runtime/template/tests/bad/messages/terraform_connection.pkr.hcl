source "null" "x" {
  connection {
    host = "x"
  }
}
build {
  sources = ["null.x"]
}
