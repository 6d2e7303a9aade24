source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = ["echo ${build.ID}", "echo constant"]
  }
}
