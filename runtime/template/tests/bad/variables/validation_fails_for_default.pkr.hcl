variable "size" {
  default = 2
  validation {
    condition     = var.size >= 10
    error_message = "At least 10."
  }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
