# kiln-test: -inspect
locals {
  text = "x ${{ a = "}" }.a} y"
}
