source "null" "a" {}
source "null" "b" {}

build {
  sources = ["null.a", "null.b"]
  provisioner "shell" {
    inline          = ["everywhere"]
    execute_command = "sh {{ .Path }}"
    override = {
      b = {
        inline = ["only on b"]
      }
    }
  }
}
