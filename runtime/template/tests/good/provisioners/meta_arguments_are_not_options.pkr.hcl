source "null" "x" {}

build {
  sources = ["null.x"]
  provisioner "shell" {
    name              = "labelled"
    only              = ["null.x"]
    pause_before      = "1s"
    timeout           = "2s"
    max_retries       = 1
    continue_on_error = false
    inline            = ["only this is an option"]
  }
}
