source "null" "x" {
