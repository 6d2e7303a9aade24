variable "v" {
  default = env("NAMED")
}

data "http" "d" {
  url = "http://stranger.example/"
}

locals {
  secret = vault("secret/data/app", "password")
  key    = consul_key("app/key")
  aws    = aws_secretsmanager_raw("app")
  found  = [for name in fileset(".", "*.txt") : file(name)]
  page   = templatefile("a.tpl", { x = path.root })
}

source "null" "n" {
  ssh_host     = data.http.d.body
  ssh_password = local.secret
}

build {
  sources = ["null.n"]

  provisioner "shell-local" {
    inline = ["touch /tmp/ran", local.key, local.aws, local.page, "${join("", local.found)}", var.v]
  }
}
