variables {
  a {
    default = 1
  }
}
