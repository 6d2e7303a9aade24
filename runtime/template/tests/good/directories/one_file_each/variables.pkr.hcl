variable "host" {
  default = "h"
}
