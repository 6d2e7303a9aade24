variable "twice" {
  default = 1
}

variables {
  twice = 2
}
