source "null" "here" {
  ssh_host     = "192.0.2.10"
  ssh_username = "root"
  ssh_agent_auth = true
}

build {
  sources = ["source.null.here"]

  provisioner "greeter" {
    name = "world"
  }
}
