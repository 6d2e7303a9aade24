packer {
  plugins {}
}
