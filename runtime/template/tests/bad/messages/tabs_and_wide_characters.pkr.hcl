locals {
	a	= nothing
	"字" = 1
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
