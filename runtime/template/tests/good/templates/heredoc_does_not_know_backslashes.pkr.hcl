# kiln-test: -inspect
locals {
  text = <<EOT
a\tb "quoted" \$5
EOT
}
