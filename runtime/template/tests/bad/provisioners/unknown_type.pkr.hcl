source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shel-local" {}
}
