# What Packer gives for these is noted from the program itself.
locals {
  a = <<-EOT
        indented

          more ${path.root}
      %{ for x in ["a", "b"] ~}
        ${x}
      %{ endfor ~}
      end
      EOT
  b = <<-EOT
    one
      two
  EOT
  c = <<-EOT
    ${"x"}
      two
    EOT
  d = <<EOT
    %{ if true }
    x
    %{ endif }
EOT
  e = <<-EOT
      a
    b

     c
    EOT
  f = <<EOT
x
   ${~ "y" ~}  
   z
EOT
}

source "null" "x" {}

build {
  sources = ["null.x"]
  provisioner "shell" {
    inline = [local.a, local.b, local.c, local.d, local.e, local.f, "{{ .Vars }} {{build `ID`}}"]
  }
}
