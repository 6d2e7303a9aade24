variable "x" {
  default = 1
  validation {
    error_message = "There is no condition."
  }
}
