# kiln-test: -env PKR_VAR_host=h
variable "host" {}

source "null" "x" {
  ssh_host = var.host
}

build {
  sources = ["null.x"]
}
