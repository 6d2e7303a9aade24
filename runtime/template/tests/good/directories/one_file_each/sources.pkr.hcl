source "null" "a" {
  ssh_host = local.name
}
