# kiln-test: -inspect
variable "disks" {
  type    = list(object({ size = string, bus = optional(string, "virtio") }))
  default = [{ size = "1G" }, { size = "2G", bus = "scsi" }]
}
