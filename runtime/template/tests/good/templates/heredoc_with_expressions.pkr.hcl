# kiln-test: -inspect
locals {
  name = "x"
  text = <<-EOT
    name: ${local.name}
    list:
    %{for n in [1, 2]}
      - ${n}
    %{endfor}
  EOT
}
