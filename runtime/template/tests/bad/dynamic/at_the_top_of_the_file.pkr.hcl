dynamic "source" {
  for_each = ["a"]
  labels   = ["null", source.value]
  content {}
}
