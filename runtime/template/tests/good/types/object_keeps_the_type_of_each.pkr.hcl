# kiln-test: -inspect
variable "vm" {
  type = object({
    name = string
    cpus = number
    tags = list(string)
  })
  default = {
    name = 7
    cpus = "4"
    tags = []
  }
}
