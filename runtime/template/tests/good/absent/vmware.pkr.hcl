source "vmware-iso" "a" {
  iso_url      = "debian.iso"
  iso_checksum = "none"
  vmx_data     = { "cpuid.coresPerSocket" = 1 }
  disk_size    = 20000
  remote_host  = "esxi.example"
  ssh_username = "root"
}
source "vmware-vmx" "b" {
  source_path  = "base.vmx"
  linked       = true
  ssh_username = "root"
}
build {
  sources = ["vmware-iso.a", "vmware-vmx.b"]
}
