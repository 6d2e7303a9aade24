//! The command line, as clap sees it after [`go_flags`] has rewritten Packer's way of writing it.

mod go_flags;
mod help;

pub(crate) use go_flags::normalise;

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Builds machine images from Packer templates, every step a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(name = "kiln", disable_help_subcommand = true, infer_subcommands = false, max_term_width = 100, after_help = help::ROOT)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) output: OutputFlags,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// How things are shown; before or after the verb.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// Live lanes, plain lines, or whichever fits standard output
    #[arg(long, global = true, value_enum, default_value_t = Ui::Auto)]
    pub(crate) ui: Ui,
    /// Packer's rows `time,target,type,data`
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) machine_readable: bool,
    /// One object per event and line
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Colours; the default is to use them on terminals
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = truth, value_name = "BOOL")]
    pub(crate) color: Option<bool>,
    /// The time before each line
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) timestamp_ui: bool,
}

/// Values of `--ui`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ui {
    /// Lanes if standard output is a terminal.
    Auto,
    /// Lanes.
    Terminal,
    /// Packer's lines.
    Classic,
}

/// Values of `--log-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Build images from a template
    #[command(after_help = help::BUILD)]
    Build(BuildArgs),
    /// Check a template without building anything
    #[command(after_help = help::VALIDATE)]
    Validate(ValidateArgs),
    /// See to it that a template's components are there and approved
    #[command(after_help = help::INIT)]
    Init(InitArgs),
    /// Show what a template consists of
    #[command(after_help = help::INSPECT)]
    Inspect(InspectArgs),
    /// Bring templates and variable files into the usual format
    #[command(after_help = help::FMT)]
    Fmt(FmtArgs),
    /// Bring a legacy JSON template up to date
    Fix(FixArgs),
    /// Write a legacy JSON template as HCL2
    #[command(name = "hcl2_upgrade")]
    Hcl2Upgrade(Hcl2UpgradeArgs),
    /// Evaluate expressions
    #[command(after_help = help::CONSOLE)]
    Console(ConsoleArgs),
    /// Undo what a killed run left on this machine
    #[command(after_help = help::CLEANUP)]
    Cleanup(CleanupArgs),
    /// See and choose the components that templates use
    #[command(after_help = help::PLUGINS, disable_help_subcommand = true)]
    Plugins {
        #[command(subcommand)]
        verb: PluginsVerb,
    },
    /// Explain an error code
    Explain {
        /// The code, as an error shows it; all codes if none is named
        code: Option<String>,
    },
    /// Say which kiln this is
    #[command(after_help = help::VERSION)]
    Version,
    /// Print a completion script for a shell
    #[command(after_help = help::COMPLETION)]
    Completion {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    #[command(after_help = help::MAN)]
    Man {
        /// Made if it is not there
        dir: PathBuf,
    },
    #[command(name = "__supervise", hide = true)]
    Supervise,
    #[command(name = "__docs", hide = true)]
    Docs {
        /// Where the pages are written
        dir: PathBuf,
    },
}

/// What to do with components.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginsVerb {
    /// List the components that templates can use
    Installed,
    /// List the plugins that a template requires, and what kiln has for each
    Required {
        /// A file or a folder
        template: PathBuf,
    },
    /// Add a component to the kiln.toml of the working directory
    Install(InstallArgs),
    /// Take a component out of the kiln.toml of the working directory
    Remove {
        /// Its name, a source that ends with its name, or its file
        component: String,
        /// Accepted for Packer's sake: kiln.toml names one version of a component
        #[arg(hide = true)]
        constraint: Option<String>,
    },
}

/// `kiln plugins install`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct InstallArgs {
    /// The component's file; what it is, it says itself
    #[arg(long, value_name = "FILE")]
    pub(crate) path: Option<PathBuf>,
    /// Replace another component of the same name
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) force: bool,
    /// `github.com/hashicorp/qemu`, or a name; its last part is the name that templates use
    pub(crate) source: String,
    /// Accepted for Packer's sake: a file is of one version
    #[arg(hide = true)]
    pub(crate) constraint: Option<String>,
}

/// The template and its variables.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Template")]
pub(crate) struct TemplateFlags {
    /// A variable's value; may be repeated, the last one counts
    #[arg(long, value_name = "NAME=VALUE", allow_hyphen_values = true)]
    pub(crate) var: Vec<String>,
    /// A file of variables' values; may be repeated, in order
    #[arg(long, value_name = "FILE")]
    pub(crate) var_file: Vec<PathBuf>,
    /// Only builds whose names match one of these patterns
    #[arg(long, value_name = "PATTERN,…", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// No builds and post-processors whose names match one of these patterns
    #[arg(long, value_name = "PATTERN,…", value_delimiter = ',')]
    pub(crate) except: Vec<String>,
    /// What standard input holds
    #[arg(long, value_enum, default_value_t = ConfigType::Json)]
    pub(crate) config_type: ConfigType,
    /// Accepted for Packer's sake; kiln has no pre-release components
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide = true)]
    pub(crate) ignore_prerelease_plugins: bool,
    /// Refuse pins that no component here is compatible with, instead of warning
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) strict_versions: bool,
    /// Run all data sources before any local, as Packer did before 1.12
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) use_sequential_evaluation: bool,
}

/// Values of `-config-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ConfigType {
    /// A legacy template.
    Json,
    /// HCL2.
    Hcl2,
}

/// `kiln build`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    pub(crate) flags: TemplateFlags,
    /// Ask before each step, one build at a time
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) debug: bool,
    /// Replace what an earlier build made
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) force: bool,
    /// What becomes of a build that failed
    #[arg(long, value_enum, default_value_t = OnErrorFlag::Cleanup)]
    pub(crate) on_error: OnErrorFlag,
    /// Most builds at once; 0 for any number
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) parallel_builds: usize,
    /// Warn about values for variables that the template does not declare
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) warn_on_undeclared_var: bool,
    /// Accepted for Packer's sake; kiln enforces nothing from outside
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide = true)]
    pub(crate) skip_enforcement: bool,
    /// A file, a folder, or - for standard input
    pub(crate) template: PathBuf,
}

/// Values of `-on-error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnErrorFlag {
    /// Undo everything
    Cleanup,
    /// Leave everything as it is
    Abort,
    /// Ask
    Ask,
    /// Run the error-cleanup-provisioner, and leave the rest
    RunCleanupProvisioner,
}

/// `kiln validate`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ValidateArgs {
    #[command(flatten)]
    pub(crate) flags: TemplateFlags,
    /// Only read the files
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) syntax_only: bool,
    /// Run data sources, so that their values are known
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) evaluate_datasources: bool,
    /// Say nothing about values for variables that the template does not declare
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) no_warn_undeclared_var: bool,
    /// A file, a folder, or - for standard input
    pub(crate) template: PathBuf,
}

/// `kiln init`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct InitArgs {
    /// Approve what the components ask for without being asked, but no full trust
    #[arg(long)]
    pub(crate) approve: bool,
    /// Approve even components that can then do everything that you can: those that may run
    /// programs, give raw arguments to the hypervisor, or write what you run
    #[arg(long)]
    pub(crate) approve_full_trust: bool,
    /// Approve what this file lists: a kiln.lock that you have looked at, kept outside of the project
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Accepted for Packer's sake: the file that kiln.toml names is always the newest
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) upgrade: bool,
    /// Look at components anew although you have approved them
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) force: bool,
    /// A file or a folder
    #[arg(default_value = ".")]
    pub(crate) template: PathBuf,
}

/// `kiln inspect`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) flags: TemplateFlags,
    /// A file, a folder, or - for standard input
    pub(crate) template: PathBuf,
}

/// `kiln fmt`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct FmtArgs {
    /// Write nothing; end with 3 if there is something to format
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) check: bool,
    /// Show what changes
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) diff: bool,
    /// Change the files
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", value_parser = truth, value_name = "BOOL")]
    pub(crate) write: bool,
    /// Folders in folders too
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) recursive: bool,
    /// Files and folders; - for standard input
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
}

/// `kiln fix`.
#[derive(Debug, Clone, clap::Args)]
#[command(after_long_help = crate::commands::fix::help())]
pub(crate) struct FixArgs {
    /// Check the result; end with 1 if it is no template
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "true", value_parser = truth, value_name = "BOOL")]
    pub(crate) validate: bool,
    /// A JSON file, or - for standard input
    pub(crate) template: PathBuf,
}

/// `kiln hcl2_upgrade`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Hcl2UpgradeArgs {
    /// Where the result is written; TEMPLATE.pkr.hcl if not given
    #[arg(long, value_name = "FILE")]
    pub(crate) output_file: Option<PathBuf>,
    /// Explain the parts of the result in comments
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value = "false", value_parser = truth, hide_default_value = true, value_name = "BOOL")]
    pub(crate) with_annotations: bool,
    /// The legacy template, or `-` for standard input
    pub(crate) template: PathBuf,
}

/// `kiln console`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConsoleArgs {
    #[command(flatten)]
    pub(crate) flags: TemplateFlags,
    /// A file or a folder; without one there are only functions
    pub(crate) template: Option<PathBuf>,
}

/// `kiln cleanup`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct CleanupArgs {
    /// The id of a run; all of them without
    pub(crate) id: Option<String>,
}

/// A truth value as Go reads it.
fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parsed(line: &str) -> Result<Args, clap::Error> {
        let arguments = normalise(&Args::command(), line.split(' ').map(Into::into));
        Args::try_parse_from(std::iter::once("kiln".into()).chain(arguments))
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn build_as_packer_writes_it() {
        let line = "build -force -color=false -var a=b -var-file=x.hcl -only=a,b -only c -parallel-builds 2 -on-error=ask t";
        let args = parsed(line).unwrap();
        assert_eq!(args.output.color, Some(false));
        let Verb::Build(build) = args.verb else { panic!("not build") };
        assert!(build.force && !build.debug);
        assert_eq!(build.flags.var, ["a=b"]);
        assert_eq!(build.flags.only, ["a", "b", "c"]);
        assert_eq!((build.parallel_builds, build.on_error), (2, OnErrorFlag::Ask));
        assert_eq!(build.template, PathBuf::from("t"));
    }

    #[test]
    fn flags_after_the_template_and_switches_with_values() {
        let Verb::Build(build) = parsed("build t -force=false -debug").unwrap().verb else {
            panic!("not build")
        };
        assert!(!build.force && build.debug);
        assert!(parsed("build t -force=maybe").is_err());
        assert!(parsed("build -no-such t").is_err());
        assert!(parsed("build").is_err());
    }

    #[test]
    fn machine_readable_anywhere() {
        for line in ["-machine-readable version", "version -machine-readable"] {
            assert!(parsed(line).unwrap().output.machine_readable, "{line}");
        }
    }
}
