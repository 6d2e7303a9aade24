# kiln-test: -inspect
variable "unset" {
  type = string
}

locals {
  called     = upper(var.unset)
  compared   = var.unset == "x"
  joined     = join("-", ["a", var.unset])
  in_list    = ["a", var.unset]
  attribute  = { a = var.unset, b = 1 }.b
  fallback   = try(var.unset, "other")
  can        = can(var.unset)
  in_heredoc = <<-EOT
    ${var.unset}
  EOT
}
