source "amazon-ebssurrogate" "s" {
  region        = "us-east-1"
  instance_type = "t3.small"
  ami_name      = "s"
  run_tag {
    key   = "a"
    value = "b"
  }
  ami_root_device {
    source_device_name = "/dev/xvdf"
    device_name        = "/dev/xvda"
    volume_size        = 8
  }
  # Not listed, and accepted: the options are not known in full.
  use_create_image = true
}
source "amazon-ebsvolume" "v" {
  instance_type = "t3.small"
  ebs_volumes {
    device_name = "/dev/xvdf"
    tags        = { zpool = "data" }
  }
}
source "amazon-instance" "i" {
  s3_bucket  = "b"
  account_id = "1"
}
source "amazon-chroot" "c" {
  chroot_mounts = [["proc", "proc", "/proc"]]
  source_ami_filter {
    filters     = { name = "base" }
    most_recent = true
  }
}
data "amazon-parameterstore" "p" {
  name = "/images/base"
}
build {
  sources = [
    "amazon-ebssurrogate.s", "amazon-ebsvolume.v", "amazon-instance.i", "amazon-chroot.c",
  ]
  provisioner "shell" {
    inline = [data.amazon-parameterstore.p.value]
  }
}
