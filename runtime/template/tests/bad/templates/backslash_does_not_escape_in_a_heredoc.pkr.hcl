locals {
  text = <<EOT
a\tb "quoted" \${still.text}
EOT
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
