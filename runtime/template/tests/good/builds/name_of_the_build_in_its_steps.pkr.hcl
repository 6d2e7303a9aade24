source "null" "a" {}

build {
  name = "outer"
  source "null.a" {
    name = "inner"
  }
  provisioner "shell" {
    inline = ["${build.name} ${source.name} ${source.type}"]
  }
}
