source "not-there-yet" "later" {
  whatever = 1
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
