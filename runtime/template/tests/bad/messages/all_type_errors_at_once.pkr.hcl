variable "a" {
  type    = number
  default = "x"
}
variable "b" {
  type    = bool
  default = "y"
}
variable "c" {
  type    = list(string)
  default = "z"
}
variable "d" {
  type    = map(string)
  default = ["z"]
}
variable "e" {
  type    = object({ x = number })
  default = { x = "y" }
}
locals {
  f = upper(1, 2)
  g = join(",", "x")
}
source "null" "x" {
  ssh_host = ["x"]
  ssh_hots = "x"
}
build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline = "true"
  }
  provisioner "shell-local" {
    inlnie = ["true"]
  }
  post-processor "manifest" {
    output = ["x"]
  }
}
