variable "name" {
  default = "Web"
  validation {
    condition     = length(var.name) > 5
    error_message = "It is too short."
  }
  validation {
    condition     = lower(var.name) == var.name
    error_message = "Only lower-case letters."
  }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
