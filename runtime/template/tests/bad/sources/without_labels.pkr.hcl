source {
  communicator = "none"
}
