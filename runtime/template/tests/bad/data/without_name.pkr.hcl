data "null" {
  input = "1"
}
