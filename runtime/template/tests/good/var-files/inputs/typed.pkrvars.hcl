size = 5
set  = [2, 1, 2]
vm = {
  name = "x"
}
