# kiln-test: -inspect
variable "host" {
  default = env("NO_SUCH_NAME_HERE")
}
