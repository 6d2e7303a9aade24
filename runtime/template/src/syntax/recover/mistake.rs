//! What is wrong with quotes and brackets; [`at`] says it for the places where the parser stops.

mod stop;

pub(super) use stop::at;

use super::items::Unclosed as Bracket;
use crate::layout::lex::{Token, Unclosed, Unended};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, FileId, Span};
use std::ops::Range;

fn place(file: FileId, range: Range<usize>) -> Span {
    let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span { file, start: at(range.start), end: at(range.end.max(range.start)) }
}

pub(in crate::syntax) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

fn rest_of_line(text: &str, at: usize) -> Range<usize> {
    let length = text.get(at..).and_then(|rest| rest.lines().next()).map_or(0, |line| line.trim_end().len());
    at..at + length
}

/// A string, heredoc, comment or interpolation that does not end.
pub(super) fn unended(text: &str, unclosed: &Unclosed, file: FileId) -> Diagnostic {
    let line = rest_of_line(text, unclosed.at);
    let (summary, range, help) = match &unclosed.what {
        Unended::Quotes => (
            "text in quotes must end on its line",
            line,
            "add `\"` at the end of the text; text of several lines is a heredoc: <<EOT".to_owned(),
        ),
        Unended::Interpolation => (
            "this interpolation is never closed",
            line,
            "add `}` behind the expression; write `$${` if the text has these two signs".to_owned(),
        ),
        Unended::Heredoc(word) => {
            ("this heredoc is never closed", line, heredoc_help(text, unclosed.at, word))
        }
        Unended::Comment => (
            "this comment is never closed",
            unclosed.at..unclosed.at + 2,
            "add `*/` where it ends".to_owned(),
        ),
    };
    Diagnostic::error(code::UNCLOSED, summary).at(place(file, range)).help(help)
}

/// A line that begins with the word and goes on is what somebody took for the end.
fn heredoc_help(text: &str, at: usize, word: &str) -> String {
    let from = line_of(text, at);
    let near = text.lines().enumerate().skip(from).find(|(_, line)| line.trim_start().starts_with(word));
    match near {
        Some((index, _)) => {
            format!("`{word}` must be alone on its line, and line {} has more; put the rest below", index + 1)
        }
        None => format!("end it with a line that has only `{word}`"),
    }
}

/// Text in quotation marks that the language does not know.
pub(in crate::syntax) fn wrong_quotes(text: &str, range: Range<usize>, file: FileId) -> Diagnostic {
    let mark = text.get(range.start..).and_then(|rest| rest.chars().next()).unwrap_or('\'');
    let name = match mark {
        '\'' => "single quotes",
        '`' => "backquotes",
        _ => "typographic quotes",
    };
    let inner =
        text.get(range.clone()).unwrap_or("").trim_matches(|c: char| !c.is_ascii() || "'`".contains(c));
    let shown: String = inner.chars().take(40).collect();
    let help = if shown.is_empty() || shown.len() < inner.len() || shown.contains('\\') {
        "write \"…\"".to_owned()
    } else {
        format!("write \"{}\"", shown.replace('"', "\\\""))
    };
    Diagnostic::error(code::WRONG_QUOTES, format!("text needs double quotes, not {name}"))
        .at(place(file, range))
        .help(help)
}

/// A closing bracket without an opening one.
pub(super) fn stray(tokens: &[Token<'_>], token: usize, file: FileId) -> Diagnostic {
    let (at, shown) = tokens.get(token).map_or((0, ""), |t| (t.at, t.text));
    nothing_open(shown, place(file, at..at + shown.len()))
}

/// The same about a bracket at a place.
pub(in crate::syntax) fn nothing_open(bracket: &str, place: Span) -> Diagnostic {
    Diagnostic::error(code::UNCLOSED, format!("nothing is open that this `{bracket}` closes"))
        .at(place)
        .help("remove it, or look above for a bracket that is closed too early")
}

/// An opening bracket without a closing one.
pub(super) fn unclosed(text: &str, tokens: &[Token<'_>], unclosed: &Bracket, file: FileId) -> Diagnostic {
    let Some(open) = tokens.get(unclosed.open) else {
        return Diagnostic::error(code::UNCLOSED, "a bracket is never closed");
    };
    let closing = match open.text {
        "[" => "]",
        "(" => ")",
        _ => "}",
    };
    let help = match unclosed.found.and_then(|found| tokens.get(found)) {
        Some(found) if found.kind.bracket() < 0 => {
            format!("add `{closing}` before the `{}` in line {}", found.text, line_of(text, found.at))
        }
        Some(found) => format!("add `{closing}` before `{}` in line {}", found.text, line_of(text, found.at)),
        None => format!("add `{closing}`; the file ends before it"),
    };
    Diagnostic::error(code::UNCLOSED, format!("this `{}` is never closed", open.text))
        .at(place(file, open.at..open.at + open.text.len()))
        .help(help)
}
