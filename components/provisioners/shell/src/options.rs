//! The options of `shell`, and the scripts that they name.

use kiln_sdk::files::{self, File, Transformation};
use kiln_sdk::{Config, Error};
use serde::Deserialize;
use std::collections::BTreeMap;

/// As `schema.json` has them.
#[derive(Deserialize)]
pub(crate) struct Options {
    inline: Option<Vec<String>>,
    script: Option<String>,
    scripts: Option<Vec<String>>,
    binary: bool,
    pub(crate) valid_exit_codes: Vec<i64>,
    #[serde(default)]
    pub(crate) environment_vars: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    env_var_format: Option<String>,
    pub(crate) use_env_var_file: bool,
    execute_command: Option<String>,
    inline_shebang: Option<String>,
    pub(crate) remote_folder: String,
    pub(crate) remote_file: Option<String>,
    pub(crate) remote_path: Option<String>,
    pub(crate) skip_clean: bool,
    pub(crate) start_retry_timeout: String,
    pub(crate) expect_disconnect: bool,
    pub(crate) pause_after: String,
}

impl Options {
    /// How a variable is written.
    pub(crate) fn variable_format(&self) -> &str {
        let usual = if self.use_env_var_file { "export %s='%s'\n" } else { "%s='%s' " };
        self.env_var_format.as_deref().filter(|format| !format.is_empty()).unwrap_or(usual)
    }

    /// The Go template of the command that runs a script.
    pub(crate) fn command(&self) -> &str {
        let usual = if self.use_env_var_file {
            "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}"
        } else {
            "chmod +x {{.Path}}; {{.Vars}} {{.Path}}"
        };
        self.execute_command.as_deref().filter(|command| !command.is_empty()).unwrap_or(usual)
    }

    fn inline_text(&self, lines: &[String]) -> String {
        let own = lines.first().is_some_and(|line| line.starts_with("#!"));
        let mut text = match (&self.inline_shebang, own) {
            (None, true) => String::new(),
            (shebang, _) => format!("#!{}\n", shebang.as_deref().unwrap_or("/bin/sh -e")),
        };
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// A script to run.
pub(crate) struct Script {
    /// What to call it before the user.
    pub(crate) title: String,
    /// Its text.
    pub(crate) content: File,
    /// Where it was named.
    pub(crate) pointer: String,
}

/// All scripts in order, with Unix line ends unless they are binary.
pub(crate) fn scripts(config: &Config<Options>) -> Result<Vec<Script>, Error> {
    if let Some(lines) = &config.inline {
        let content = files::from_text("inline.sh", &config.inline_text(lines))?;
        return Ok(vec![Script { title: "inline".to_owned(), content, pointer: "/inline".to_owned() }]);
    }
    let named = match (&config.script, &config.scripts) {
        (Some(script), _) => vec![(script, "/script".to_owned())],
        (None, scripts) => scripts
            .iter()
            .flatten()
            .enumerate()
            .map(|(index, script)| (script, format!("/scripts/{index}")))
            .collect(),
    };
    named
        .into_iter()
        .map(|(title, pointer)| {
            let mut content = config.file(&pointer)?;
            if !config.binary {
                content =
                    content.transform(Transformation::UnixLineEndings).map_err(|e| e.at(pointer.as_str()))?;
            }
            Ok(Script { title: title.clone(), content, pointer })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(written: &str) -> Options {
        kiln_sdk::testing::options(include_str!("../schema.json"), written).unwrap()
    }

    #[test]
    fn the_first_line_may_be_the_shebang() {
        let lines = |first: &str| [first.to_owned(), "b".to_owned()];
        assert_eq!(options("{}").inline_text(&lines("a")), "#!/bin/sh -e\na\nb\n");
        assert_eq!(options("{}").inline_text(&lines("#!/bin/bash")), "#!/bin/bash\nb\n");
        let written = options(r#"{"inline_shebang":"/bin/zsh"}"#);
        assert_eq!(written.inline_text(&lines("#!/bin/bash")), "#!/bin/zsh\n#!/bin/bash\nb\n");
    }

    #[test]
    fn a_file_of_variables_changes_the_usual_formats() {
        let file = options(r#"{"use_env_var_file":true}"#);
        assert_eq!(file.variable_format(), "export %s='%s'\n");
        assert!(file.command().contains(". {{.EnvVarFile}} &&"));
        assert_eq!(options("{}").variable_format(), "%s='%s' ");
        assert_eq!(options(r#"{"env_var_format":"%s=%s;"}"#).variable_format(), "%s=%s;");
    }
}
