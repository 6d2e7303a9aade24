# The smallest build: no machine, one file, one command on this computer.
#
#   kiln build examples/hello.pkr.hcl

variable "who" {
  type    = string
  default = "world"
}

source "file" "greeting" {
  content = "hello ${var.who}\n"
  target  = "hello.txt"
}

source "null" "here" {
  communicator = "none"
}

build {
  sources = ["source.file.greeting", "source.null.here"]

  provisioner "shell-local" {
    only   = ["null.here"]
    inline = ["echo hello from $PACKER_BUILD_NAME"]
  }
}
