source "null" "x" {}

build {
  name    = "fine"
  sources = ["null.x"]
}

build {
  name    = "broken"
  sources = ["null.x"]
  provisioner "shell" {
    inlin = []
  }
}
