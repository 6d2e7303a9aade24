# kiln-test: -inspect
locals {
  disks = [{ size = 1, name = "a" }, { size = 2, name = "b" }]
  names = local.disks[*].name
  old   = local.disks.*.size
}
