packer {
  required_version = "latest"
}
