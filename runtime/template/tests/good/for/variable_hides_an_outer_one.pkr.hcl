# kiln-test: -inspect
locals {
  hidden = [for x in ["outer"] : [for x in ["inner"] : x]]
}
