local "a" {
  expresion = 1
}
