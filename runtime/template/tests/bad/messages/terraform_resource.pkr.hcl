resource "aws_instance" "x" {
  ami = "y"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
