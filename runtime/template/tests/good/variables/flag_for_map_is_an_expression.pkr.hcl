# kiln-test: -inspect -var 'tags={team = "x", cost = 5}'
variable "tags" {
  type = map(string)
}
