# Pauses, so that one can look at what was made.

source "null" "here" {
  communicator = "none"
}

build {
  sources = ["source.null.here"]

  provisioner "breakpoint" {
    note    = "look at the machine now"
    disable = true
  }
}
