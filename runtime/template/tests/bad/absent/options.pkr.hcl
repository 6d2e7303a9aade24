# Options of components that are not there yet are checked all the same.
data "amazon-ami" "base" {
  ownrs = ["self"]
}
source "amazon-ebs" "a" {
  instance_typ  = "t3.small"
  ebs_optimized = "maybe"
  tag           = { key = "a", value = "b" }
  tags {
    a = "b"
  }
  assume_role = {
    role_arn = "arn"
  }
  launch_block_device_mapping {
    device_name = "/dev/xvda"
  }
  ami_block_device_mappings {
    volum_size = 3
  }
  metadata_options {
    http_endpoint = "enabled"
  }
  metadata_options {
    http_endpoint = "disabled"
  }
}
source "amazon-ebz" "b" {}
build {
  sources = ["amazon-ebs.a", "amazon-ebz.b"]
  provisioner "ansibel" {}
  provisioner "ansible" {
    playbook_file    = "x.yml"
    extra_argument   = []
    ansible_env_vars = { a = "b" }
  }
  provisioner "shell" {
    inline = [data.amazon-ami.base.nme]
  }
  post-processor "docker-tgs" {}
}
