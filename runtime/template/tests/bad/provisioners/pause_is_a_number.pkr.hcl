source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    pause_before = 10
  }
}
