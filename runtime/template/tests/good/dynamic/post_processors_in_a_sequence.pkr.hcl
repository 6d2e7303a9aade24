source "null" "x" {}

build {
  sources = ["null.x"]
  post-processors {
    dynamic "post-processor" {
      for_each = ["checksum", "manifest"]
      iterator = kind
      labels   = [kind.value]
      content {
        output = "${kind.key}.txt"
      }
    }
  }
}
