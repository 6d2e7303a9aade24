module "x" {
  source = "./x"
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
