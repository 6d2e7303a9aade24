text = <<-EOT
  two
  lines
EOT
sum  = 1 + 2
