# kiln-test: -inspect
locals {
  list = "%{for n in ["a", "b"]}${n};%{endfor}"
  keys = "%{for k, v in { x = 1, y = 2 }}${k}=${v} %{endfor}"
}
