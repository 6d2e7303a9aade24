# kiln-test: -except=null.broken
source "null" "fine" {}
source "null" "broken" {
  ssh_hots = "typo"
}

build {
  sources = ["null.fine", "null.broken"]
}
