source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner {
    inline = ["x"]
  }
}
