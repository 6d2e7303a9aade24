build {
  name    = "two"
  sources = ["null.x"]
  provisioner "shell" {
    inline = ["two"]
  }
}
