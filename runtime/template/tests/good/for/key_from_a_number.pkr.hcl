# kiln-test: -inspect
locals {
  squares = { for n in [2, 3] : n => n * n }
}
