data "null" "present" {
  input = "x"
}

source "null" "x" {
  ssh_host = data.null.absent.output
}

build {
  sources = ["null.x"]
}
