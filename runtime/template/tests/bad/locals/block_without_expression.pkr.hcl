local "a" {
  sensitive = true
}
