anything = ["text", 5, { a = true }]
