# kiln-test: -inspect
locals {
  a = 1
  b = local.a + local.a
  c = local.b + local.b
  d = local.c + local.c
  e = local.d + local.d
}
