variable "x" {}
source "null" "y" {}
