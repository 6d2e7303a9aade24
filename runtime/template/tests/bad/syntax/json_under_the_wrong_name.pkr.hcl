{
  "variable": { "x": {} }
}
