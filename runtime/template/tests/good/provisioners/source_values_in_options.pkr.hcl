source "null" "a" {}

build {
  source "null.a" {
    name = "east"
  }
  source "null.a" {
    name = "west"
  }
  provisioner "shell" {
    env = { TYPE = source.type, NAME = upper(source.name) }
  }
}
