# values for several fixtures
name = "from one"
list = ["one"]
