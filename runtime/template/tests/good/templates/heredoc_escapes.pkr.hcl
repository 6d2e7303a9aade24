# kiln-test: -inspect
locals {
  text = <<EOT
$${literal} and %%{ literal }
EOT
}
