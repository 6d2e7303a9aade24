size = "12"
