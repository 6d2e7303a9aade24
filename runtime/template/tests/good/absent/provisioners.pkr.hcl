source "null" "a" {
  communicator = "none"
}
build {
  sources = ["null.a"]
  provisioner "ansible" {
    playbook_file    = "site.yml"
    extra_arguments  = ["-v"]
    ansible_env_vars = ["A=b"]
    use_proxy        = false
  }
  provisioner "ansible-local" {
    playbook_file  = "site.yml"
    inventory_groups = ["web"]
  }
  provisioner "puppet-masterless" {
    manifest_file = "site.pp"
    facter        = { role = "web" }
  }
  provisioner "puppet-server" {
    puppet_server = "puppet.example"
  }
  provisioner "chef-solo" {
    run_list = ["recipe[web]"]
    json     = { web = { port = 80 } }
  }
  provisioner "chef-client" {
    server_url = "https://chef.example"
  }
  provisioner "salt-masterless" {
    local_state_tree = "salt"
    formulas         = ["git::https://example/f.git"]
  }
  provisioner "goss" {
    tests = ["goss.yaml"]
  }
  provisioner "inspec" {
    profile = "profile"
  }
  provisioner "hcp-sbom" {
    auto_generate = true
    destination   = "sbom.json"
  }
}
