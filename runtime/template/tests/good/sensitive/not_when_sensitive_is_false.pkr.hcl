# kiln-test: -inspect
variable "name" {
  default   = "public"
  sensitive = false
}
