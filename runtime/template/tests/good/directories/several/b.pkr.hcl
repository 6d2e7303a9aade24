locals { z = "z" }
build { sources = ["null.x"] }
