source "null" "x" {}

build {
  sources = ["null.x"]
  provisioner "shell" {
    pause_before = "0"
  }
}
