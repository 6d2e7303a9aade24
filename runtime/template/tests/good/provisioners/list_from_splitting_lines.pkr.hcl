source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = split("\n", trimspace(<<-EOT
      one
      two
    EOT
    ))
  }
}
