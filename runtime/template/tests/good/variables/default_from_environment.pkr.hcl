# kiln-test: -env HOSTNAME_OF_BUILD=farm
variable "host" {
  default = env("HOSTNAME_OF_BUILD")
}

source "null" "x" {
  ssh_host = var.host
}

build {
  sources = ["null.x"]
}
