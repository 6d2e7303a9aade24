source "null" "a" {}

build {
  sources = ["null.a"]
  provisioner "shell" {
    env = {
      TEXT   = "t"
      NUMBER = 1.50
      BOOL   = true
      "QUOTED KEY" = 0
    }
  }
}
