source "azure-arm" "a" {
  subscription_id    = "00000000-0000-0000-0000-000000000000"
  os_type            = "Windows"
  communicator       = "winrm"
  winrm_username     = "packer"
  winrm_use_ssl      = true
  winrm_timeout      = "10m"
  location           = "westeurope"
  os_disk_size_gb    = "127"
  disk_additional_size = [64, "128"]
  azure_tags         = { a = "b" }
  dynamic "azure_tag" {
    for_each = { owner = "images" }
    content {
      name  = azure_tag.key
      value = azure_tag.value
    }
  }
  shared_image_gallery_destination {
    gallery_name        = "g"
    image_name          = "i"
    image_version       = "1.0.0"
    replication_regions = ["westeurope"]
  }
  plan_info {
    plan_name = "p"
  }
}
source "azure-chroot" "b" {
  source = "base"
}
source "azure-dtl" "c" {
  lab_name = "lab"
}
build {
  sources = ["azure-arm.a", "azure-chroot.b", "azure-dtl.c"]
  provisioner "powershell" {
    inline            = ["Get-Date"]
    elevated_user     = "packer"
    elevated_password = build.Password
    valid_exit_codes  = [0, "3010"]
  }
  provisioner "windows-shell" {
    inline = ["ver"]
  }
  provisioner "windows-restart" {
    restart_timeout = "15m"
    check_registry  = "true"
  }
  provisioner "windows-update" {
    filters = ["include:$true"]
  }
}
