# kiln-test: -inspect
variables {
  a = "of the list"
}

variable "b" {
  default = "of its own"
}

variables {
  c = "of a second list"
}
