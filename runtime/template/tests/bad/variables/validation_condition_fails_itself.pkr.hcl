variable "x" {
  default = "text"
  validation {
    condition     = var.x > 5
    error_message = "More than five."
  }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
