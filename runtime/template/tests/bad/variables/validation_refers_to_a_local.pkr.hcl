locals {
  least = 5
}

variable "x" {
  default = 9
  validation {
    condition     = var.x > local.least
    error_message = "Too small."
  }
}
