source "null" "x" {}

build {
  sources = ["null.x"]
  provisioner "shell" {
    max_retries = "3"
  }
}
