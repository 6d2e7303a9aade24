variable "proxy" {
  type    = string
  default = null
}

source "null" "x" {
  ssh_host = var.proxy
}

build {
  sources = ["null.x"]
}
