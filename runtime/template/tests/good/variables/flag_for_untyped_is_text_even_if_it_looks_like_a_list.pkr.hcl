# kiln-test: -inspect -var 'name=[1, 2]'
variable "name" {}
