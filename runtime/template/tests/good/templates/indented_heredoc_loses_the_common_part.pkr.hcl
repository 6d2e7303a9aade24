# kiln-test: -inspect
locals {
  text = <<-EOT
      two
        four

      after an empty line
    EOT
}
