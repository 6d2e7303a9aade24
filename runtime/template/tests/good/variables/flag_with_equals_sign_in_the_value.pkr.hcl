# kiln-test: -inspect -var query=a=b=c
variable "query" {
  type = string
}
