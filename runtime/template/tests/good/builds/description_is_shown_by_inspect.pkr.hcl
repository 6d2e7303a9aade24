# kiln-test: -inspect
source "null" "x" {}

build {
  name        = "b"
  description = "What this is for."
  sources     = ["null.x"]
}
