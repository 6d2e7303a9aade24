# kiln-test: -only=null.disk[0-2]
source "null" "disk1" {}
source "null" "disk3" {}

build {
  sources = ["null.disk1", "null.disk3"]
}
