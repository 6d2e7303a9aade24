source "vsphere-iso" "a" {
  vcenter_server = "vcenter.example"
  CPUs           = 2
  RAM            = "2048"
  iso_paths      = ["[store] debian.iso"]
  storage {
    disk_size             = 32768
    disk_thin_provisioned = true
  }
  network_adapters {
    network_card = "vmxnet3"
  }
  export {
    output_directory = "out"
  }
  configuration_parameters = { "disk.EnableUUID" = "TRUE" }
}
source "vsphere-clone" "b" {
  template = "base"
  customize {
    linux_options {
      host_name = "b"
    }
    network_interface {
      ipv4_address = "192.0.2.7"
      ipv4_netmask = "24"
    }
  }
  vapp {
    properties = { hostname = "b" }
  }
}
source "vsphere-supervisor" "c" {
  image_name = "base"
}
data "vsphere-virtualmachine" "base" {
  name = "base-*"
}
build {
  sources = ["vsphere-iso.a", "vsphere-clone.b", "vsphere-supervisor.c"]
  provisioner "shell" {
    inline = ["echo ${data.vsphere-virtualmachine.base.vm_name}"]
  }
  post-processors {
    post-processor "vsphere" {
      host    = "vcenter.example"
      options = ["--noSSLVerify"]
    }
    post-processor "vsphere-template" {
      host            = "vcenter.example"
      snapshot_enable = true
    }
  }
}
