variable "password" {
  default   = "s3cret"
  sensitive = true
}

source "null" "a" {
  ssh_host = "user:${var.password}"
}

build {
  sources = ["null.a"]
}
