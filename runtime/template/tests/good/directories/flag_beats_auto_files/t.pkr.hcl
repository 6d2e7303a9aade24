# kiln-test: -inspect -var x=flag
variable "x" {}
