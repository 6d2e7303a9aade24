variable "x" {
  default   = 1
  ephemeral = true
}
