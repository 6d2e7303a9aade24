page ${x}
