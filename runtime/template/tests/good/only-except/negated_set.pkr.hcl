# kiln-test: -only=null.disk[!1]
source "null" "disk1" {}
source "null" "disk2" {}

build {
  sources = ["null.disk1", "null.disk2"]
}
