# kiln-test: -inspect
locals {}
