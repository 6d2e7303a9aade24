source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = [build.Password, build.SSHPrivateKey]
  }
}
