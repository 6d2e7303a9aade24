varaible "x" {}
lcoals {}
bulid {}
sorce "null" "x" {}
source "null" "x" {}
build {
  sources = ["null.x"]
}
