# kiln-test: -inspect
locals {
  disks = [{ name = "a" }, { name = "b" }]
  first = local.disks.*.name[0]
}
