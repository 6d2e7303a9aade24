name = "from two"
