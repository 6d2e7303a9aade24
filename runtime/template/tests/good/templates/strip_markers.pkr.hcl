# kiln-test: -inspect
locals {
  both  = "a   ${~ "b" ~}   c"
  left  = "a   ${~ "b"}   c"
  right = "a   ${"b" ~}   c"
  lines = <<-EOT
    %{~ for n in ["x", "y"] ~}
    ${n}
    %{~ endfor ~}
    end
  EOT
}
