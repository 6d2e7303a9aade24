//! From flags, environment and terminal to what is needed.

use crate::args::{LogFormat, OutputFlags, Ui};
use crate::env_vars;
use crate::report::{Json, Lines, Machine, Sink, Terminal, Texts};
use std::io::IsTerminal;

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Lines and lanes.
    Lanes,
    /// Packer's lines.
    Lines,
    /// Packer's rows.
    Rows,
    /// Objects.
    Objects,
}

/// What the output flags come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Showing {
    pub(crate) style: Style,
    pub(crate) colour: bool,
    pub(crate) timestamps: bool,
    /// Packer's own layout for what kiln lays out differently.
    pub(crate) classic: bool,
}

impl Showing {
    /// Plain lines, whatever the terminal.
    pub(crate) fn lines() -> Self {
        Self { style: Style::Lines, colour: false, timestamps: false, classic: false }
    }

    /// As this process's standard output and environment want it.
    pub(crate) fn of(flags: &OutputFlags) -> Self {
        let plain = env_vars::is_set(env_vars::NO_COLOR) || env_vars::is_set(env_vars::PACKER_NO_COLOR);
        // One that cannot move its cursor is as good as a file.
        let dumb =
            cfg!(unix) && env_vars::text(env_vars::TERM).is_none_or(|name| name.is_empty() || name == "dumb");
        Self::decide(flags, std::io::stdout().is_terminal() && !dumb, plain)
    }

    fn decide(flags: &OutputFlags, terminal: bool, plain: bool) -> Self {
        let style = match flags.ui {
            _ if flags.machine_readable => Style::Rows,
            _ if flags.log_format == LogFormat::Json => Style::Objects,
            Ui::Terminal => Style::Lanes,
            Ui::Auto if terminal && !flags.timestamp_ui => Style::Lanes,
            Ui::Auto | Ui::Classic => Style::Lines,
        };
        let colour = flags.color.unwrap_or(terminal && !plain) && !(plain && flags.color.is_none());
        let classic = flags.ui == Ui::Classic || style == Style::Rows;
        Self { style, colour, timestamps: flags.timestamp_ui, classic }
    }

    /// The sink that shows so; objects quote `texts`.
    pub(crate) fn sink(self, texts: &Texts) -> Sink {
        let out = || Box::new(std::io::stdout());
        match self.style {
            Style::Lanes => Sink::new(Terminal::new(self.colour)),
            Style::Lines => Sink::new(Lines::new(out(), self.colour, self.timestamps)),
            Style::Rows => Sink::new(Machine::new(out())),
            Style::Objects => Sink::new(Json::new(out(), texts.clone())),
        }
    }

    /// Whether somebody sits there who can answer: Packer refuses prompts in machine-readable mode.
    pub(crate) fn can_ask(self) -> bool {
        matches!(self.style, Style::Lanes | Style::Lines) && std::io::stdin().is_terminal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> OutputFlags {
        OutputFlags {
            ui: Ui::Auto,
            machine_readable: false,
            log_format: LogFormat::Text,
            color: None,
            timestamp_ui: false,
        }
    }

    #[test]
    fn lanes_and_colours_are_for_terminals() {
        let on = Showing::decide(&flags(), true, false);
        assert_eq!((on.style, on.colour), (Style::Lanes, true));
        let off = Showing::decide(&flags(), false, false);
        assert_eq!((off.style, off.colour), (Style::Lines, false));
        assert!(!Showing::decide(&flags(), true, true).colour);
        assert!(Showing::decide(&OutputFlags { color: Some(true), ..flags() }, false, false).colour);
        let rows = OutputFlags { machine_readable: true, ..flags() };
        assert_eq!(Showing::decide(&rows, true, false).style, Style::Rows);
    }
}
