variable "vm" {
  type    = object({ name = string, cpus = number })
  default = { name = "x" }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
