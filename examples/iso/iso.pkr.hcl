# An installation from an ISO: the boot command is typed at the boot prompt, the installer fetches
# its answers from the HTTP server of the build, writes the disk and reboots into it.
#
#   cargo xtask demo     (once, it makes the ISO)
#   kiln build -var iso=target/guests/tiny.iso examples/iso

variable "iso" {
  type        = string
  description = "the installer ISO of tests/guest/make-guest.sh"
}

variable "out" {
  type        = string
  default     = "output-iso"
  description = "the folder for the image, which must not exist"
}

source "qemu" "install" {
  iso_url          = var.iso
  iso_checksum     = "none"
  output_directory = var.out
  vm_name          = "installed.qcow2"
  format           = "qcow2"
  disk_size        = "512M"
  accelerator      = "tcg"
  headless         = true
  http_directory   = "${path.root}/http"
  boot_command     = ["install answers=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answers note=it-is-typed-key-by-key-by-the-builder-until-it-is-one-hundred-and-fifty-characters-in-length-at-all<enter>"]
  communicator     = "ssh"
  ssh_username     = "kiln"
  ssh_password     = "from-the-answers"
  ssh_timeout      = "5m"
  shutdown_command = "sudo poweroff"
}

build {
  sources = ["source.qemu.install"]

  provisioner "shell" {
    inline = ["grep -q installed-by-iso /etc/installed", "test $(hostname) = installed"]
  }
}
