source "null" "n" {
  communicator = "none"
}

build {
  sources = ["source.null.n"]

  provisioner "shell-local" {
    inline = ["{{build_name}} {{build_type}}"]
  }
}
