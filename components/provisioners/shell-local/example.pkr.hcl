# A command on this computer; no machine is needed.

source "null" "here" {
  communicator = "none"
}

build {
  sources = ["source.null.here"]

  provisioner "shell-local" {
    inline  = ["echo build $PACKER_BUILD_NAME on $(uname -s)"]
    only_on = ["linux", "darwin"]
  }
}
