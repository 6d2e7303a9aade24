# kiln-test: -inspect
locals {
  text = <<EOT
  two
    four
EOT
}
