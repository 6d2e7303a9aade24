source "null" "first" {}
build {
  sources = ["null.frist", "first", "source.nul.first", "null.first.more"]
}
