# kiln-test: -inspect
variable "vm" {
  type = object({
    name   = string
    memory = optional(number, 1024)
    disks  = optional(list(string), ["10G"])
  })
  default = { name = "x" }
}
