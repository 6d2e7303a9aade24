variable "stage" {
  default = "test"
}

source "null" "x" {}

build {
  name    = "img-${var.stage}"
  sources = ["null.x"]
}
