# kiln-test: -var size=3
variable "size" {
  default = 20
  validation {
    condition     = var.size >= 10
    error_message = "At least 10."
  }
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
