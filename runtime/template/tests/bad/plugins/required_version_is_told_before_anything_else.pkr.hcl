packer {
  required_version = "~> 3.0"
}

invented "block" {}

variable "x" {
  tipe = string
}
