source "null" "x" {}

build {
  sources  = ["null.x"]
  parallel = 2
}
