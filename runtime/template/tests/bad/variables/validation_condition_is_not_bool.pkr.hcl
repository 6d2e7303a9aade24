variable "x" {
  default = 1
  validation {
    condition     = [var.x]
    error_message = "Something is wrong."
  }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
