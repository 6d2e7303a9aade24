output "ip" {
  value = 1
}
source "null" "x" {}
build {
  sources = ["null.x"]
}
