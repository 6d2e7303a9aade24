packer {
  required_version = ">= 1.7.0, < 2.0"
  required_plugins {
    qemu = { version = ">= 1.1.0", source = "github.com/hashicorp/qemu" }
  }
}

variable "memory" {
  type    = number
  default = 1024
  validation {
    condition     = var.memory >= 256
    error_message = "The machine needs 256 MiB."
  }
}

variable "password" {
  type      = string
  default   = "s3cret"
  sensitive = true
}

variable "from_environment" {
  default = "default"
}

variables {
  names = ["a", "b"]
}

locals {
  greeting = "hello ${upper(local.who)}"
  who      = "world"
  flags    = { for i, name in var.names : name => i if name != "x" }
}

local "token" {
  expression = "${var.password}-token"
  sensitive  = true
}

data "http" "page" {
  url = "http://${local.who}.example"
}

source "qemu" "vm" {
  iso_url      = "a.iso"
  memory       = "${var.memory}"
  headless     = "true"
  boot_command = ["<enter>{{ .HTTPIP }}"]
  qemuargs     = [["-m", 512]]
  http_content = { "/a" = local.greeting }
  disk {
    size = "1G"
  }
  dynamic "disk" {
    for_each = var.names
    content {
      size  = "${disk.key}G"
      cache = disk.value
    }
  }
}

source "null" "n" {
  communicator = "none"
}

build {
  name        = "demo"
  description = "shows it"
  sources     = ["source.qemu.vm"]

  source "null.n" {
    name     = "other"
    ssh_host = "h"
  }

  provisioner "shell" {
    name             = "first"
    inline           = ["echo ${build.ID}", "echo ${local.greeting}", <<-EOT
      one
        two ${source.name} ${source.type}
      EOT
    ]
    environment_vars = ["P=${var.password}", "E=${var.from_environment}"]
    env              = local.flags
    pause_before     = "1m30s"
    timeout          = "5s"
    max_retries      = 2
    override = {
      other = { inline = "true" }
    }
  }

  provisioner "shell" {
    only              = ["qemu.vm"]
    inline            = [data.http.page.body]
    continue_on_error = true
  }

  provisioner "shell" {
    except = var.memory > 1 ? ["qemu.vm"] : null
    inline = ["x"]
  }

  error-cleanup-provisioner "shell-local" {
    inline = ["echo ${build.name}"]
  }

  post-processor "manifest" {
    output      = "m.json"
    custom_data = { token = local.token }
  }

  post-processors {
    post-processor "checksum" {
      keep_input_artifact = true
      output              = "{{.BuildName}}.sum"
    }
    post-processor "manifest" {}
  }
}
