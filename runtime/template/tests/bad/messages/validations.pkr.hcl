variable "x" {
  default = 1
  validation {
    condition     = var.y > 1
    error_message = "X must be more than 1."
  }
  validation {
    condition     = "text"
    error_message = "no sentence"
  }
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
