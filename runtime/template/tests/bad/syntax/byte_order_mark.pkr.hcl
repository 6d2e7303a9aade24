locals {
	a = 1
	b = nothing
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
