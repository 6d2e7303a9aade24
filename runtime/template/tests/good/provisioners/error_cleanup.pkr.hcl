source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = ["work"]
  }
  error-cleanup-provisioner "shell-local" {
    timeout = "5s"
    inline  = ["collect logs of ${source.name}"]
  }
}
