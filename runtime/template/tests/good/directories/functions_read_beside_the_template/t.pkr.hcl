# kiln-test: -inspect
locals {
  content = file("note.txt")
  there   = fileexists("note.txt")
  absent  = fileexists("other.txt")
  names   = fileset(".", "*.txt")
  nested  = fileset(path.root, "*.txt")
  root    = path.root
}
