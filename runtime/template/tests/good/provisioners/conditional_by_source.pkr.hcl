source "null" "small" {}
source "null" "large" {}

build {
  sources = ["null.small", "null.large"]
  provisioner "shell" {
    inline = [source.name == "small" ? "fit" : "spread"]
  }
}
