source "null" "a" {}

build {
  sources = ["null.a"]
  hcp_packer_registry {
    bucket_name   = "images"
    description   = "Golden images."
    bucket_labels = { team = "x" }
    build_labels  = { stage = "test" }
  }
}
