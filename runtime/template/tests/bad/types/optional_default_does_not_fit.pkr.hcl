variable "x" {
  type = object({ n = optional(number, "many") })
}
