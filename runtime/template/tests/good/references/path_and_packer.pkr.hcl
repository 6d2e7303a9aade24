# kiln-test: -inspect
locals {
  root    = path.root
  cwd     = path.cwd
  version = packer.version
}
