source "null" "x" {}
build {
  sources = ["null.x"]
}
/* the rest
is a comment
