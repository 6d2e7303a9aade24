v = "file"
other = 1
