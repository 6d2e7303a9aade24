source "docker" "a" {
  image   = "debian:12"
  commit  = true
  changes = ["USER nobody"]
  volumes = { "/srv" = "/srv" }
}
source "docker" "b" {
  build {
    path      = "Dockerfile"
    arguments = { VERSION = 12 }
  }
  discard = true
}
source "lxc" "c" {
  template_name = "debian"
  anything {
    goes = true
  }
}
source "lxd" "d" {
  image         = "images:debian/12"
  launch_config = { "security.nesting" = true }
}
build {
  sources = ["docker.a", "docker.b", "lxc.c", "lxd.d"]
  post-processors {
    post-processor "docker-import" {
      repository = "example/a"
      tag        = "1"
    }
    post-processor "docker-tag" {
      repository = "example/a"
      tags       = ["latest"]
    }
    post-processor "docker-push" {
      login = true
    }
  }
  post-processor "docker-save" {
    path = "a.tar"
  }
}
