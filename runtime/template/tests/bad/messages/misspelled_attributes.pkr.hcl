variable "x" {
  typ         = string
  defualt     = "a"
  descripton  = "b"
  sensitve    = true
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
