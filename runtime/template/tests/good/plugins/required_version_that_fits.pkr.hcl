packer {
  required_version = ">= 1.7.0, != 1.9.0, ~> 1.11"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
