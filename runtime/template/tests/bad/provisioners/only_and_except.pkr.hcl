source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    only   = ["null.a"]
    except = ["null.b"]
  }
}
