# kiln-test: -inspect
local "settings" {
  expression = {
    size = 3
    name = "x-${local.suffix}"
  }
}

locals {
  suffix = "end"
  name   = local.settings.name
}
