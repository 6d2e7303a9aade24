# kiln-test: -inspect
source "null" "x" {}

build {
  sources = ["null.x"]
  provisioner "shell" {}
  provisioner "shell-local" {
    name = "second"
  }
  post-processor "manifest" {}
  post-processors {
    post-processor "checksum" {}
    post-processor "manifest" {
      name = "last"
    }
  }
}
