variable "keys" {
  type      = list(string)
  default   = ["first-key", "second-key"]
  sensitive = true
}

variable "logins" {
  type      = map(string)
  default   = { admin = "password-of-admin" }
  sensitive = true
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
