# kiln-test: -data
data "null" "a" {
  input = "x"
}

source "null" "x" {
  ssh_host = data.null.a.outptu
}

build {
  sources = ["null.x"]
}
