# kiln-test: -late SourceAMI=ami-1
source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = [build.SourceAMI]
  }
}
