# kiln-test: -inspect
variable "on" {
  default = true
}

locals {
  with    = "%{if var.on}on%{else}off%{endif}"
  without = "[%{if !var.on}never%{endif}]"
}
