one = "hcl"
two = "hcl"
nobody = 1
