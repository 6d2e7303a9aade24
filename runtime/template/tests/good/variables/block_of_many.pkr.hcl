# kiln-test: -inspect
variables {
  region = "eu"
  count  = 3
  public = false
}
