# kiln-test: -late ID=vm-7
source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = [build.Hots]
  }
}
