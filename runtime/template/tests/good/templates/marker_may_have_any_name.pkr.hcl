# kiln-test: -inspect
locals {
  text = <<-END_of-it2
    EOT
  END_of-it2
}
