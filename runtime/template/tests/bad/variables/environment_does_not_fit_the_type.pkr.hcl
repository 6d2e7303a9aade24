# kiln-test: -env PKR_VAR_on=perhaps
variable "on" {
  type    = bool
  default = true
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
