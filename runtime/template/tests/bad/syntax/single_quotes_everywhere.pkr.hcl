build {
  sources = ['null.x', 'null.y']
  provisioner 'shell-local' {
    inline = ['echo "hi"']
  }
}
