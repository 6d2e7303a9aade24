# kiln-test: -inspect -var name=long-enough
variable "name" {
  default = "x"
  validation {
    condition     = length(var.name) > 3
    error_message = "The name is too short."
  }
}
