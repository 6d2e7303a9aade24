hcp_packer_registry {
  bucket_name   = "a b"
  bucket        = "x"
  description   = join("", [for n in range(300) : "x"])
  labels        = { a = "b" }
  bucket_labels = ["x"]
}

hcp_packer_registry {
  bucket_name = ""
}

source "null" "a" {}

build {
  sources = ["null.a"]

  hcp_packer_registry {
    bucket_name = "ab"
  }
}
