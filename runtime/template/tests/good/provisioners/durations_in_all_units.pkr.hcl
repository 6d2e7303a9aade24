source "null" "x" {}

build {
  sources = ["null.x"]
  provisioner "shell" {
    pause_before = "1h2m3s"
    timeout      = "1500ms"
  }
  provisioner "shell" {
    pause_before = "0.5s"
    timeout      = "1us"
  }
}
