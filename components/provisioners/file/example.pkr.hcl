# A file to the machine and a log back.

source "null" "machine" {
  ssh_host       = "192.0.2.10"
  ssh_username   = "root"
  ssh_agent_auth = true
}

build {
  sources = ["source.null.machine"]

  provisioner "file" {
    content     = "PermitRootLogin no\n"
    destination = "/etc/ssh/sshd_config.d/root.conf"
  }

  provisioner "file" {
    direction   = "download"
    source      = "/var/log/dpkg.log"
    destination = "logs/"
  }
}
