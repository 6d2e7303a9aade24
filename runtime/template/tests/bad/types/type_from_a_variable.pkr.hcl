variable "x" {
  type = var.kind
}
