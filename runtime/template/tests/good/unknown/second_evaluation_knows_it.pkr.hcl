# kiln-test: -late ID=vm-7 -late Host=10.0.0.9
source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = ["${build.ID} at ${build.Host}", upper(build.ID)]
  }
}
