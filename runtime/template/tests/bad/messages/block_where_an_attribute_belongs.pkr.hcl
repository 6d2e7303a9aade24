source "null" "x" {}
build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline {
      a = "true"
    }
    environment_vars {}
  }
}
