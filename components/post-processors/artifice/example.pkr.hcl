# A script makes a file, which becomes the artifact.

source "null" "here" {
  communicator = "none"
}

build {
  sources = ["source.null.here"]

  post-processors {
    post-processor "shell-local" {
      inline = ["echo made here > made.txt"]
    }
    post-processor "artifice" {
      files = ["made.txt"]
    }
    post-processor "checksum" {
      checksum_types = ["sha256"]
    }
  }
}
