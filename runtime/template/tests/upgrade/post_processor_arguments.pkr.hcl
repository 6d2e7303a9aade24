source "null" "a" {
  communicator = "none"
}

source "null" "b" {
  communicator = "none"
}

build {
  sources = ["source.null.a", "source.null.b"]

  post-processor "manifest" {
    keep_input_artifact = true
    name                = "m"
    only                = ["null.a"]
    output              = "m.json"
  }

  post-processor "checksum" {
    except              = ["null.a", "null.b"]
    keep_input_artifact = false
  }
}
