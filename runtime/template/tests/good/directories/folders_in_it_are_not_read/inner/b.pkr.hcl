source "null" "a" {}
