# A command on this computer after the build.

source "file" "note" {
  content = "hello\n"
  target  = "note.txt"
}

build {
  sources = ["source.file.note"]

  post-processor "shell-local" {
    inline = ["ls -l note.txt"]
  }
}
