# kiln-test: -var memroy=1
variable "memory" {
  default = 512
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
