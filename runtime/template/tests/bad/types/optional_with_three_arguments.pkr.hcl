variable "x" {
  type = object({ n = optional(number, 1, 2) })
}
