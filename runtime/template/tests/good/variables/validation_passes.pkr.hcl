# kiln-test: -inspect -var size=8
variable "size" {
  type = number
  validation {
    condition     = var.size > 4 && var.size < 16
    error_message = "The size must be between 4 and 16."
  }
}
