# kiln-test: -inspect
locals {
  lines = split("\n", chomp(<<EOT
a
b
EOT
  ))
}
