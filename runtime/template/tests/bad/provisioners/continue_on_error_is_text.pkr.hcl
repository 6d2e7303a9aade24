source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    continue_on_error = "sometimes"
  }
}
