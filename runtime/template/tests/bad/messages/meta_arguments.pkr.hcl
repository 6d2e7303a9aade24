source "null" "x" {}
build {
  sources = ["null.x"]
  provisioner "shell-local" {
    inline       = ["true"]
    pause_before = 10
    timeout      = "1 minute"
    max_retries  = -1
  }
  provisioner "shell-local" {
    inline      = ["true"]
    max_retries = "many"
    only        = "null.x"
  }
}
