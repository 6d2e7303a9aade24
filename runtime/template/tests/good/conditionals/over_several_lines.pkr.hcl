# kiln-test: -inspect
locals {
  a = (
    true
    ? "yes"
    : "no"
  )
}
