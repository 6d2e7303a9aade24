# kiln-test: -inspect
locals {
  backslashes = "a\tb\nc\\d\"e"
  unicode     = "\u00e9 \U0001F600"
  dollars     = "$${x} $$ $5 $"
  percents    = "%%{x} %% 5%"
}
