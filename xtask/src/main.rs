//! The commands of this repository: `cargo xtask <verb>`, one file per verb.
//!
//! Everything that a person or CI does with the source tree is here, so that no other script is
//! needed. Each verb first makes sure of what it needs (`setup`), and each prints what it runs.

mod bench;
mod build;
mod compat;
mod demo;
mod docs;
mod guest;
mod guests;
mod launch;
mod machine;
mod setup;
mod sizes;
mod soak;
mod test;
mod tree;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "the commands of this repository", version)]
struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what the other commands need: Rust targets and Debian packages
    Setup,
    /// Build the bundled components and the test guests to WebAssembly
    Guests,
    /// Build target/release/kiln, one file with the bundled components inside
    Build,
    /// Run the test suites, each within its time budget
    Test(test::TestArgs),
    /// Build a real image with kiln, boot the result, and prove that every step took part
    Demo(demo::DemoArgs),
    /// Measure kiln, Packer and the bare shell on the same work
    Bench(bench::BenchArgs),
    /// Run the long tests (kills, races, fuzzing) and write docs/soak.md
    Soak(soak::SoakArgs),
    /// Look at a folder of templates with kiln: one verdict for each
    Compat(compat::CompatArgs),
    /// Write or compare the generated reference in docs/reference
    Docs(docs::DocsArgs),
}

fn main() -> ExitCode {
    let result = match Args::parse().verb {
        Verb::Setup => setup::run(),
        Verb::Guests => guests::run(),
        Verb::Build => build::run(),
        Verb::Test(args) => test::run(&args),
        Verb::Demo(args) => demo::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Soak(args) => soak::run(&args),
        Verb::Compat(args) => compat::run(&args),
        Verb::Docs(args) => docs::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
