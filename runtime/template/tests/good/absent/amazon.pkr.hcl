# Images on Amazon: blocks, repeated blocks, a data source whose values are not known yet.
packer {
  required_plugins {
    amazon = {
      version = ">= 1.2.8"
      source  = "github.com/hashicorp/amazon"
    }
  }
}

data "amazon-ami" "base" {
  filters = {
    name                = "debian-12-amd64-*"
    virtualization-type = "hvm"
  }
  owners      = ["136693071363"]
  most_recent = true
  region      = "eu-central-1"
}

data "amazon-secretsmanager" "login" {
  name = "images/login"
  key  = "password"
}

locals {
  base = data.amazon-ami.base.name
}

source "amazon-ebs" "web" {
  region        = "eu-central-1"
  instance_type = "t3.small"
  ami_name      = "web-from-${local.base}"
  source_ami    = data.amazon-ami.base.id
  ssh_username  = "admin"
  ssh_interface = "public_ip"

  assume_role {
    role_arn = "arn:aws:iam::1:role/images"
    tags     = { team = "web" }
  }
  launch_block_device_mappings {
    device_name = "/dev/xvda"
    volume_size = "20"
    encrypted   = "true"
  }
  launch_block_device_mappings {
    device_name = "/dev/xvdb"
    no_device   = true
  }
  dynamic "tag" {
    for_each = { Name = "web", Base = data.amazon-ami.base.owner }
    content {
      key   = tag.key
      value = tag.value
    }
  }
  tags = { Stage = "test" }
}

build {
  sources = ["source.amazon-ebs.web"]

  provisioner "shell" {
    inline = ["echo ${data.amazon-secretsmanager.login.value}"]
  }
  post-processor "amazon-import" {
    s3_bucket_name = "images"
    ami_users      = ["1"]
  }
}
