source "virtualbox-iso" "a" {
  guest_os_type = "Debian_64"
  iso_url       = "debian.iso"
  iso_checksum  = "none"
  cpus          = "2"
  boot_command  = ["<esc>auto<enter>"]
  vboxmanage    = [["modifyvm", "{{ .Name }}", "--vram", 32]]
  ssh_username  = "root"
}
source "virtualbox-ovf" "b" {
  source_path  = "base.ova"
  import_flags = ["--eula-agree"]
  ssh_username = "root"
}
source "virtualbox-vm" "c" {
  vm_name         = "base"
  attach_snapshot = "clean"
  ssh_username    = "root"
}
build {
  sources = ["virtualbox-iso.a", "virtualbox-ovf.b", "virtualbox-vm.c"]
  post-processor "vagrant" {
    output = "{{ .Provider }}.box"
    override = {
      virtualbox = { compression_level = 9 }
    }
  }
}
