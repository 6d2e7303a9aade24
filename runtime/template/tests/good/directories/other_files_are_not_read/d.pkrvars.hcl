undeclared = "and no automatic variable file"
