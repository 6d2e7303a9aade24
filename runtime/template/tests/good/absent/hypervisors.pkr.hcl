source "proxmox-iso" "a" {
  proxmox_url = "https://pve.example:8006/api2/json"
  boot_iso {
    iso_file = "local:iso/debian.iso"
    unmount  = true
  }
  network_adapters {
    bridge = "vmbr0"
    mtu    = "1500"
  }
  disks {
    disk_size    = "20G"
    storage_pool = "local-lvm"
  }
}
source "proxmox" "old" {
  iso_file = "local:iso/debian.iso"
}
source "proxmox-clone" "b" {
  clone_vm = "base"
  ipconfig {
    ip = "dhcp"
  }
}
source "hyperv-iso" "c" {
  generation  = 2
  switch_name = "Default Switch"
}
source "hyperv-vmcx" "d" {
  clone_from_vm_name = "base"
}
source "parallels-iso" "e" {
  parallels_tools_flavor = "lin"
  prlctl                 = [["set", "{{.Name}}", "--bios-type", "efi64"]]
}
source "parallels-pvm" "f" {
  source_path = "base.pvm"
}
source "parallels-ipsw" "g" {
  ipsw_url = "mac.ipsw"
}
source "utm-iso" "h" {
  vm_arch = "aarch64"
}
source "vagrant" "i" {
  source_path = "debian/bookworm64"
  provider    = "virtualbox"
}
build {
  sources = [
    "proxmox-iso.a", "proxmox.old", "proxmox-clone.b", "hyperv-iso.c", "hyperv-vmcx.d",
    "parallels-iso.e", "parallels-pvm.f", "parallels-ipsw.g", "utm-iso.h", "vagrant.i",
  ]
  post-processor "vagrant-cloud" {
    box_tag = "example/debian"
    version = "1.0.0"
  }
}
