variable "password" {
  default   = "hunter2"
  sensitive = true
  validation {
    condition     = length(var.password) > 12
    error_message = "At least 13 characters."
  }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
