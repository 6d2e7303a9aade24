# kiln-test: -inspect
variable "image" {
  description = "Where the base image comes from."
  default     = "debian"
}
