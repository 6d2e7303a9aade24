source "null" "x" {}

build {
  sources = ["null.x"]
  dynamic "provisioner" {
    for_each = { shell = "remote", shell-local = "here" }
    labels   = [provisioner.key]
    content {
      inline = ["echo ${provisioner.value}"]
    }
  }
}
