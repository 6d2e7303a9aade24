source "null" "x" {}

build {
  sources = ["null.x"]
  provisoner "shell" {}
}
