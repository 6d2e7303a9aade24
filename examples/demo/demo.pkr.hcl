# A disk image is booted, changed over SSH, shut down, and recorded: what `cargo xtask demo` builds.
# Each provisioner carries the nonce into the image by its own way, and the demo reads all three
# back from the booted result. It is valid for Packer from 1.6.6 on.

variable "image" {
  type        = string
  description = "the bootable qcow2 to start from; its user `kiln` accepts the key"
}

variable "key" {
  type        = string
  description = "the private key for it"
}

variable "nonce" {
  type        = string
  description = "any word without spaces"
}

variable "work" {
  type        = string
  description = "an existing folder with a file `nonce-file`, where everything is written"
}

source "qemu" "demo" {
  iso_url              = var.image
  iso_checksum         = "none"
  disk_image           = true
  skip_resize_disk     = true
  format               = "qcow2"
  accelerator          = "tcg"
  headless             = true
  output_directory     = "${var.work}/image"
  vm_name              = "demo.qcow2"
  communicator         = "ssh"
  ssh_username         = "kiln"
  ssh_private_key_file = var.key
  ssh_timeout          = "5m"
  shutdown_command     = "sudo poweroff"
}

build {
  sources = ["source.qemu.demo"]

  # by a file of this computer
  provisioner "file" {
    source      = "${var.work}/nonce-file"
    destination = "/home/kiln/nonce-file"
  }

  # by a command in the machine
  provisioner "shell" {
    environment_vars = ["NONCE=${var.nonce}"]
    inline           = ["echo \"$NONCE-shell\" > /home/kiln/nonce-shell"]
  }

  # by a script in the machine, as root
  provisioner "shell" {
    script           = "${path.root}/setup.sh"
    environment_vars = ["NONCE=${var.nonce}"]
    execute_command  = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"
  }

  # by a command on this computer, whose output is then uploaded
  provisioner "shell-local" {
    environment_vars = ["NONCE=${var.nonce}", "WORK=${var.work}"]
    inline           = ["echo \"$NONCE-shell-local\" > \"$WORK/nonce-shell-local\""]
  }
  provisioner "file" {
    source      = "${var.work}/nonce-shell-local"
    destination = "/home/kiln/nonce-shell-local"
    generated   = true
  }

  post-processor "checksum" {
    checksum_types      = ["sha256", "sha512"]
    output              = "${var.work}/demo.{{ .ChecksumType }}"
    keep_input_artifact = true
  }
  post-processor "manifest" {
    output     = "${var.work}/manifest.json"
    strip_path = true
    custom_data = {
      nonce = var.nonce
    }
  }
  post-processor "compress" {
    output              = "${var.work}/demo.tar.gz"
    keep_input_artifact = true
  }
}
