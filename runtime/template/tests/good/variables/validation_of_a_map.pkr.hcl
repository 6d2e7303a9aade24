# kiln-test: -inspect
variable "tags" {
  type    = map(string)
  default = { owner = "me" }
  validation {
    condition     = contains(keys(var.tags), "owner")
    error_message = "There must be an owner."
  }
}
