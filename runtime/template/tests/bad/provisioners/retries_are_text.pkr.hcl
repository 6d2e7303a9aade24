source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    max_retries = "often"
  }
}
