source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    execute_command = <<-EOT
      {{ .Vars }} sh {{ .Path }}
    EOT
  }
}
