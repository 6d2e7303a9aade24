# Runs one command on a machine that is there already.

source "null" "machine" {
  ssh_host       = "192.0.2.10"
  ssh_username   = "root"
  ssh_agent_auth = true
}

build {
  sources = ["source.null.machine"]

  provisioner "shell" {
    inline = ["uname -a"]
  }
}
