# kiln-test: -var-file missing.hcl
locals {}
