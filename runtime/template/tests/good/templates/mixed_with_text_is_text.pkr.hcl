# kiln-test: -inspect
locals {
  text = "a${5}b${true}c${"d"}"
  half = "${0.5}%"
}
