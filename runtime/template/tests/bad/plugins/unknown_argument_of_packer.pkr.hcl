packer {
  version = "1.9"
}
