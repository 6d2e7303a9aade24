source "null" "x" {}

build {
  name    = "b"
  sources = ["null.x"]
  provisioner "shell" {
    only   = ["b.null.x"]
    inline = ["does not run"]
  }
  provisioner "shell" {
    only   = ["null.x"]
    inline = ["runs"]
  }
}
