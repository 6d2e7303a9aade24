# kiln-test: -var password=from-the-flag
variable "password" {
  sensitive = true
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
