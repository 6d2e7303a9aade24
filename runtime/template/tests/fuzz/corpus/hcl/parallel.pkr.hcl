# Three builders of different kinds in one build, at the same time: a virtual machine, a build
# without a machine, and a file. Steps choose their builds by `only`.
#
#   cargo xtask demo     (once, it makes the guest)
#   kiln build -var image=target/guests/tiny.qcow2 -var key=target/guests/id_ed25519 examples/parallel.pkr.hcl

variable "image" {
  type        = string
  description = "a bootable qcow2 whose user `kiln` accepts the key"
}

variable "key" {
  type        = string
  description = "the private key for it"
}

variable "out" {
  type        = string
  default     = "output-parallel"
  description = "the folder for everything that is made"
}

source "qemu" "machine" {
  iso_url              = var.image
  iso_checksum         = "none"
  disk_image           = true
  skip_resize_disk     = true
  format               = "qcow2"
  accelerator          = "tcg"
  headless             = true
  output_directory     = "${var.out}/machine"
  vm_name              = "machine.qcow2"
  communicator         = "ssh"
  ssh_username         = "kiln"
  ssh_private_key_file = var.key
  ssh_timeout          = "5m"
  shutdown_command     = "sudo poweroff"
}

source "null" "local" {
  communicator = "none"
}

source "file" "note" {
  content = "made beside a machine\n"
  target  = "${var.out}/note.txt"
}

build {
  sources = ["source.qemu.machine", "source.null.local", "source.file.note"]

  provisioner "shell" {
    only   = ["qemu.machine"]
    inline = ["uname -a | sudo tee /etc/made-by"]
  }

  provisioner "shell-local" {
    only   = ["null.local"]
    inline = ["echo no machine here"]
  }

  post-processor "checksum" {
    except              = ["null.local"]
    checksum_types      = ["sha256"]
    output              = "${var.out}/{{ .BuildName }}.{{ .ChecksumType }}"
    keep_input_artifact = true
  }
}
