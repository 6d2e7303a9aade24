source "null" "x" {}

build {
  sources = ["null.x"]
  provisioner "shell" {
    continue_on_error = true
  }
}
