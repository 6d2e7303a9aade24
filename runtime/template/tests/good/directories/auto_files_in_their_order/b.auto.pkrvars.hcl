y = "b"
