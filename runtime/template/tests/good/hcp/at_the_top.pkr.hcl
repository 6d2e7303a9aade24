hcp_packer_registry {
  bucket_name = "images"
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
