locals {
  name  = "demo"
  host  = "h"
  quiet = ["null.x"]
}

source "null" "x" {
  ssh_host = local.host
}

build {
  name    = local.name
  sources = ["null.x"]
  provisioner "shell" {
    except = local.quiet
    inline = ["never"]
  }
  post-processor "manifest" {
    output = "${local.name}.json"
  }
}
