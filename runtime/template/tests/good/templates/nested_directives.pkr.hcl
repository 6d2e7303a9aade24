# kiln-test: -inspect
locals {
  text = "%{for n in [1, 2, 3]}%{if n % 2 == 1}${n}%{else}-%{endif}%{endfor}"
}
