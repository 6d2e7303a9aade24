locals {
  steps = { one = ["a"], two = ["b", "c"] }
}
source "null" "x" {}
build {
  sources = ["sources.null.x"]
  dynamic "provisioner" {
    for_each = local.steps
    labels   = ["shell"]
    iterator = step
    content {
      name   = step.key
      inline = [for s in step.value : "${s}-${build.ID != "" ? 1 : 1}"]
    }
  }
  dynamic "post-processor" {
    for_each = ["x"]
    labels   = ["manifest"]
    content {
      output = "${build.name}${source.name}"
    }
  }
}
