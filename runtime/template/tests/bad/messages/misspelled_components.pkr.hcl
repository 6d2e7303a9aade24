source "nul" "x" {}
build {
  sources = ["nul.x"]
  provisioner "shel" {}
  post-processor "manifst" {}
}
data "htp" "x" {}
