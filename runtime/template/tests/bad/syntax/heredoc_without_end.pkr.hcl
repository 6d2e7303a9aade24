source "null" "x" {}
build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline = [<<EOT
echo
    ]
  }
}
