source "null" "x" {
  a = [1, 2
}
