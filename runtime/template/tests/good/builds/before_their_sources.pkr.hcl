build {
  sources = ["null.declared_later"]
}

source "null" "declared_later" {}
