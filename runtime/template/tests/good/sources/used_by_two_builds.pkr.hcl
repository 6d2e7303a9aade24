source "null" "x" {
  ssh_host = "h"
}

build {
  name    = "one"
  sources = ["null.x"]
}

build {
  name    = "two"
  sources = ["null.x"]
}
