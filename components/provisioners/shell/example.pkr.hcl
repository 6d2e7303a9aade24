# Commands with variables, then a restart that is expected.

source "null" "machine" {
  ssh_host       = "192.0.2.10"
  ssh_username   = "root"
  ssh_agent_auth = true
}

build {
  sources = ["source.null.machine"]

  provisioner "shell" {
    env             = { COLOUR = "it's blue" }
    inline          = ["echo $COLOUR > /etc/colour"]
    execute_command = "chmod +x {{ .Path }}; sudo env {{ .Vars }} {{ .Path }}"
  }

  provisioner "shell" {
    inline            = ["sudo reboot"]
    expect_disconnect = true
    pause_after       = "1s"
  }
}
