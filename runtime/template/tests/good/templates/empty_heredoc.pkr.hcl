# kiln-test: -inspect
locals {
  text  = <<EOT
EOT
  after = "x"
}
