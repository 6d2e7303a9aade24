source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inlines = ["x"]
  }
}
