source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    timeout = "10"
  }
}
