# kiln-test: -inspect
locals {
  text = <<-EOT
		one tab more
	at the margin
	EOT
}
