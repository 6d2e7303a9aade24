source "qemu" "vm" {
  iso_url = "x"
  qemuargs = [
    ["-smp", 4],
    ["-display", "none"],
    ["-netdev", "user,id=n0,hostfwd=tcp::{{ .SSHHostPort }}-:22"],
  ]
}

build {
  sources = ["qemu.vm"]
}
