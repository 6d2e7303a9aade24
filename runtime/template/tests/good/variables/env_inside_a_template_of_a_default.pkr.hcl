# kiln-test: -inspect -env USER=ann
variable "greeting" {
  default = "hello ${env("USER")}"
}
