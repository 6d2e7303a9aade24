variable "sizes" {
  type    = list(number)
  default = [1, "two", 3]
}

source "null" "x" {}

build {
  sources = ["null.x"]
}
