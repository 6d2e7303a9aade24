variable "x" {
  default = 1
  validation {
    condition     = var.x > 0
    error_message = "Starts well but does not end"
  }
}
