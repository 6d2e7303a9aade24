//! What `--help` of a verb ends with: examples and exit codes.

pub(crate) const ROOT: &str = "\
Flags are written with one dash or two, before or after other arguments. `kiln VERB --help` explains a verb.

Exit codes: 0 done, 1 failed or cancelled, 3 `fmt -check` found work, 127 no such verb.";

pub(crate) const BUILD: &str = "\
Examples:
  kiln build template.pkr.hcl             every build of one file
  kiln build .                            every build of the files of a folder
  kiln build -only='qemu.*' -var size=8G .
  kiln build -on-error=ask template.pkr.hcl    after a failure: clean up, abort or retry?
  kiln build -machine-readable . | grep ',artifact,'

Ctrl-C cancels and cleans up; a second one ends kiln at once and says what is left.

Exit codes: 0 all builds finished, 1 one failed or was cancelled, or the template is wrong.";

pub(crate) const VALIDATE: &str = "\
Nothing is run and nothing is fetched, unless -evaluate-datasources asks for it.

Examples:
  kiln validate template.pkr.hcl
  kiln validate -syntax-only .
  kiln validate -var-file=release.pkrvars.hcl .

Exit codes: 0 valid (warnings do not count), 1 not valid.";

pub(crate) const INIT: &str = "\
Bundled components need no init. Third-party ones are named in kiln.toml; what they ask for is shown, and approved by you: on the terminal, by a flag, or by a policy file.

Examples:
  kiln init .                                    look and decide
  kiln init -approve .                           in a script; full trust is not approved
  kiln init -policy=/etc/kiln/policy.lock .      in CI, by a list that is no part of the checkout

Exit codes: 0 everything that the template needs is there and approved, 1 it is not.";

pub(crate) const INSPECT: &str = "\
Nothing is run. Values that are not known yet are <unknown>, sensitive ones <sensitive>.

Examples:
  kiln inspect template.pkr.hcl
  kiln inspect -var-file=release.pkrvars.hcl .

Exit codes: 0 shown, 1 the template cannot be read.";

pub(crate) const FMT: &str = "\
Names each file that changes. Takes *.pkr.hcl and *.pkrvars.hcl; hidden files and those of editors are skipped.

Examples:
  kiln fmt .
  kiln fmt -check -recursive .      for CI: 3 if there is something to do
  kiln fmt -diff -write=false .
  kiln fmt - < template.pkr.hcl     from standard input to standard output

Exit codes: 0 done, 1 a file cannot be read or written, 3 `-check` found a file to format.";

pub(crate) const CONSOLE: &str = "\
On a terminal: a prompt with line editing and history. Otherwise every line of standard input is evaluated, and the last result is printed. `help`, `variables` and `exit` are its words.

Examples:
  kiln console template.pkr.hcl
  echo 'upper(var.name)' | kiln console -var name=x template.pkr.hcl
  echo 'cidrhost(\"10.0.0.0/8\", 5)' | kiln console -config-type=hcl2

Exit codes: 0 done, 1 the template or an expression of standard input is wrong.";

pub(crate) const CLEANUP: &str = "\
For runs that were killed, interrupted twice, or left as they are by -on-error. Runs that are alive are not touched. It may be repeated.

Examples:
  kiln cleanup
  kiln cleanup 9d00e3fb-cf02-4967-8cb8-e3bfb89ddb00

Exit codes: 0 nothing is left, 1 something could not be removed, or there is no such run.";

pub(crate) const PLUGINS: &str = "\
kiln has components where Packer has plugins. Those of the common plugins are bundled; others are .wasm files that a project's kiln.toml names.

Examples:
  kiln plugins installed
  kiln plugins required .
  kiln plugins install -path greet.wasm example.com/acme/greet

Exit codes: 0 done, 1 not.";

pub(crate) const COMPLETION: &str = "\
Examples:
  source <(kiln completion bash)
  kiln completion zsh > ~/.zfunc/_kiln
  kiln completion fish > ~/.config/fish/completions/kiln.fish
  kiln -autocomplete-install        writes the files for bash, zsh and fish into your home";

pub(crate) const MAN: &str = "\
Example:
  kiln man ~/.local/share/man/man1 && man kiln-build";

pub(crate) const VERSION: &str = "\
Started under the name `packer` it tells the version of Packer whose templates it reads.";
