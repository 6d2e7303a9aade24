variable "port" {
  default = 2222
}

source "null" "x" {
  ssh_host = "localhost:${var.port}"
}

build {
  sources = ["null.x"]
}
