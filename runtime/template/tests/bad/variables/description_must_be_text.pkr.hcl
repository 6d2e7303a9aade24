variable "x" {
  default     = 1
  description = ["not", "text"]
}
