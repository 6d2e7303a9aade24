source "null" "x" {}

build {
  sources = ["null.x"]
  provisioner "shell" {
    only   = ["null.*", "*"]
    inline = ["does not run"]
  }
}
