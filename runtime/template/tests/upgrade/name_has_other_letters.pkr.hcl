source "null" "_10-x-y" {
  communicator = "none"
}

source "null" "_10_x_y" {
  communicator = "none"
}

source "null" "_10_x_y_2" {
  communicator = "none"
}

build {
  sources = ["source.null._10-x-y", "source.null._10_x_y", "source.null._10_x_y_2"]

  provisioner "shell-local" {
    inline = ["x"]
    only   = ["null._10_x_y"]
  }
}
