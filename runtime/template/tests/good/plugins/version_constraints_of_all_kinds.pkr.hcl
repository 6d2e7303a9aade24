packer {
  required_plugins {
    a = { version = "1.0.0", source = "github.com/x/a" }
    b = { version = "= 1.0", source = "github.com/x/b" }
    c = { version = "!= 1.1", source = "github.com/x/c" }
    d = { version = "> 1, <= 3.2.1", source = "github.com/x/d" }
    e = { version = "~> 1.4.2", source = "github.com/x/e" }
  }
}

source "null" "a" {}

build {
  sources = ["null.a"]
}
