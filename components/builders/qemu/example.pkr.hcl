# Starts from a cloud image and installs a package into it.

source "qemu" "machine" {
  iso_url          = "https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-generic-amd64.qcow2"
  iso_checksum     = "file:https://cloud.debian.org/images/cloud/bookworm/latest/SHA512SUMS"
  disk_image       = true
  disk_size        = "8G"
  format           = "qcow2"
  memory           = 1024
  headless         = true
  cd_label         = "cidata"
  cd_content = {
    "meta-data" = ""
    "user-data" = "#cloud-config\npassword: build\nchpasswd: { expire: false }\nssh_pwauth: true\n"
  }
  ssh_username     = "debian"
  ssh_password     = "build"
  shutdown_command = "sudo poweroff"
}

build {
  sources = ["source.qemu.machine"]

  provisioner "shell" {
    inline = ["sudo apt-get update", "sudo apt-get install -y nginx"]
  }
}
