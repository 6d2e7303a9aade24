variable "image_name" {
  default = "x"
}

source "null" "x" {
  ssh_host = var.image_nane
}

build {
  sources = ["null.x"]
}
