source "qemu" "a" {
  iso_url      = "x"
  boot_command = ["http://{{ .HTTPIP }}:{{ .HTTPPort }}/preseed.cfg<enter>"]
}

build {
  sources = ["qemu.a"]
  provisioner "shell" {
    execute_command = "{{ .Vars }} sudo -E sh '{{ .Path }}'"
    inline          = ["echo {{ build_name }}"]
  }
}
