# kiln-test: -inspect
locals {
  a = ""
  b = "${""}"
  c = "%{if false}x%{endif}"
}
