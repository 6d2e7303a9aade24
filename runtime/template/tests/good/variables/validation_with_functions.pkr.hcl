# kiln-test: -inspect
variable "ami" {
  default = "ami-0123abcd"
  validation {
    condition     = can(regex("^ami-[0-9a-f]+$", var.ami))
    error_message = "It must be like ami-0123abcd."
  }
}
