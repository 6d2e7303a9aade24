# kiln-test: -inspect
locals {
  list = [][*].name
}
