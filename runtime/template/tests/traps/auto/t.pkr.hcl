variable "v" { default = "default" }
