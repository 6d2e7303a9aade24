source "null" "x" {}

build {
  source "null.x" {
    name = "renamed"
  }
  provisioner "shell" {
    only   = ["null.renamed"]
    inline = ["runs"]
  }
  provisioner "shell" {
    only   = ["null.x"]
    inline = ["does not run"]
  }
}
