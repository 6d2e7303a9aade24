source "null" "x" {}

build {
  provisioner "shell" {
    inline = ["first"]
  }
  sources = ["null.x"]
  provisioner "shell-local" {
    inline = ["second"]
  }
  provisioner "shell" {
    inline = ["third"]
  }
}
