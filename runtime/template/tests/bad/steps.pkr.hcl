source "qemu" "vm" {
  iso_url = "a"
  memry   = 5
  format  = "vmdk"
  memory  = "lots"
  headless = [true]
  disk {
    cache = "x"
  }
  disks {}
  iso_urls {}
  inline = build.ID
}

source "null" "ok" {}

source "null" "set" {
  ssh_host = "a"
}

source "qmeu" "typo" {}

build {
  sources = ["source.qemu.vm", "null.okk", "sources.null.ok", "qmeu.typo"]
  nmae    = "x"

  source "null.set" {
    ssh_host = "b"
  }

  provisioner "shel" {}

  provisioner "shell" {
    inlnie       = ["x"]
    pause_before = "5"
    timeout      = "never"
    max_retries  = -1
    only         = ["null.ok"]
    except       = ["null.ok"]
  }

  provisioner "shell" {
    pause_before = "5"
    max_retries  = 1.5
    inline       = [upper(), lower()]
    env          = { a = local.nope }
    shell_env { }
  }

  error-cleanup-provisioner "shell" {}
  error-cleanup-provisioner "shell" {}

  post-processor "manifst" {}
  post-processors {
    post-processor "checksum" {
      output = ["a", { b = 1 }]
    }
    provisioner "shell" {}
  }
  weird {}
}
