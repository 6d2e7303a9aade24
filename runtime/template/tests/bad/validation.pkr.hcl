variable "checked" {
  default = 3
  validation {
    condition     = var.other > 5
    error_message = "Fine."
  }
  validation {
    condition     = true
    error_message = "lower case"
  }
}
