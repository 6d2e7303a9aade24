source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    override {
      a = { inline = ["x"] }
    }
  }
}
