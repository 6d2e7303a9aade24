# kiln-test: -inspect
variable "n" {
  default = 3
  validation {
    condition     = var.n > 2
    error_message = "3 is the least."
  }
}
