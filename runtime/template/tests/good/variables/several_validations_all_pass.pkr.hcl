# kiln-test: -inspect
variable "name" {
  default = "web-1"
  validation {
    condition     = length(var.name) <= 8
    error_message = "At most 8 characters!"
  }
  validation {
    condition     = lower(var.name) == var.name
    error_message = "Why upper-case letters?"
  }
}
