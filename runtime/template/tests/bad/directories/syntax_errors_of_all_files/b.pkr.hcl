build {
  sources = [
}
