source "null" "a" {}
source "null" "b" {}

build {
  sources = ["null.a", "null.b"]
  provisioner "shell" {
    except = ["null.a"]
    inline = ["only on b"]
  }
}
