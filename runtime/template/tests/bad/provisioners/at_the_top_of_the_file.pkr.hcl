source "null" "a" {}

provisioner "shell" {}

build {
  sources = ["null.a"]
}
