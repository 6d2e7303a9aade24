source "googlecompute" "a" {
  project_id   = "p"
  source_image = "debian-12"
  zone         = "europe-west3-a"
  disk_size    = "20"
  disk_attachment {
    volume_type = "pd-ssd"
    volume_size = 20
  }
  metadata = { enable-oslogin = "TRUE" }
}
source "openstack" "b" {
  cloud       = "lab"
  image_name  = "b"
  source_image_filter {
    filters {
      name = "debian-12"
      tags = ["stable"]
    }
    most_recent = true
  }
}
source "digitalocean" "c" {
  image = "debian-12-x64"
  size  = "s-1vcpu-1gb"
}
source "hcloud" "d" {
  image = "debian-12"
}
build {
  sources = ["googlecompute.a", "openstack.b", "digitalocean.c", "hcloud.d"]
  post-processor "googlecompute-export" {
    paths = ["gs://bucket/a.tar.gz"]
  }
  post-processor "googlecompute-import" {
    bucket = "bucket"
  }
}
