# kiln-test: -inspect -var-file inputs/typed.pkrvars.hcl
variable "size" {
  type = string
}

variable "set" {
  type = set(number)
}

variable "vm" {
  type = object({ name = string, cpus = optional(number, 2) })
}
