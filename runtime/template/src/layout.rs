//! Templates in canonical layout, as `packer fmt` writes them.
//!
//! Only white space between tokens changes. Three passes over the lines: indentation by brackets,
//! one space or none between neighbours, then the columns of `=` and of trailing comments in runs
//! of neighbouring lines.

pub(crate) mod lex;

use lex::{Kind, Token};

/// `text` in canonical layout. `None` if it cannot be split into tokens; parse it for the reason.
pub(crate) fn format(text: &str) -> Option<String> {
    let tokens = lex::lex(text)?;
    let trailing = trailing(text, tokens.last());
    let mut lines = lines(tokens);
    indent(&mut lines);
    space(&mut lines);
    align(&mut lines);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for token in lines.iter().flat_map(Line::tokens) {
        out.extend(std::iter::repeat_n(' ', token.spaces));
        out.push_str(token.text);
    }
    // Spaces behind the last token are no part of a line, and stay.
    out.extend(std::iter::repeat_n(' ', trailing));
    Some(out)
}

/// How many spaces are behind the last token; a comment or a heredoc's end has its own inside.
fn trailing(text: &str, last: Option<&Token<'_>>) -> usize {
    if last.is_some_and(|token| text.ends_with(token.text)) {
        return 0;
    }
    text.len() - text.trim_end_matches([' ', '\t']).len()
}

/// A line in three columns.
#[derive(Default)]
struct Line<'t> {
    lead: Vec<Token<'t>>,
    /// From `=` on, if what follows ends on the same line.
    assignment: Vec<Token<'t>>,
    /// A comment at the end.
    comment: Vec<Token<'t>>,
}

impl<'t> Line<'t> {
    fn tokens(&self) -> impl Iterator<Item = &Token<'t>> {
        self.lead.iter().chain(&self.assignment).chain(&self.comment)
    }
}

fn width(tokens: &[Token<'_>]) -> usize {
    tokens.iter().map(|token| token.spaces + token.text.chars().count()).sum()
}

fn balance(tokens: &[Token<'_>]) -> i64 {
    tokens.iter().map(|token| token.kind.bracket()).sum()
}

/// Splits tokens into lines, and lines into columns.
fn lines(tokens: Vec<Token<'_>>) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut lead = Vec::new();
    for token in tokens {
        let ends = token.ends_line();
        lead.push(token);
        if ends {
            lines.push(columns(std::mem::take(&mut lead)));
        }
    }
    lines.push(columns(lead));
    lines
}

fn columns(mut lead: Vec<Token<'_>>) -> Line<'_> {
    let mut line = Line::default();
    if lead.len() > 1 && lead.last().is_some_and(|token| token.kind == Kind::Comment) {
        line.comment.extend(lead.pop());
    }
    let equals = lead.iter().skip(1).position(|token| token.kind == Kind::Equal).map(|at| at + 1);
    if let Some(at) = equals
        && lead.get(at..).is_some_and(|rest| balance(rest) == 0)
    {
        line.assignment = lead.split_off(at);
    }
    line.lead = lead;
    line
}

/// A line that opens brackets indents those behind it by one level, however many it opens.
fn indent(lines: &mut [Line<'_>]) {
    let mut levels: Vec<i64> = Vec::new();
    for line in lines {
        // Of a heredoc only what is in front of its text counts.
        let mut change = 0;
        for token in line.lead.iter().chain(&line.assignment) {
            change += token.kind.bracket();
            if token.kind == Kind::HeredocOpen {
                break;
            }
        }
        let Some(first) = line.lead.first_mut() else { continue };
        if first.kind == Kind::Newline {
            first.spaces = 0;
            continue;
        }
        let mut closed = (-change).max(0);
        while closed > 0
            && let Some(open) = levels.last_mut()
        {
            if closed < *open {
                *open -= closed;
                closed = 0;
            } else {
                closed -= *open;
                levels.pop();
            }
        }
        first.spaces = 2 * levels.len();
        if change > 0 {
            levels.push(change);
        }
    }
}

fn space(lines: &mut [Line<'_>]) {
    for line in lines {
        space_between(&mut line.lead);
        if let Some(first) = line.assignment.first_mut() {
            first.spaces = 1;
        }
        space_between(&mut line.assignment);
    }
}

fn space_between(tokens: &mut [Token<'_>]) {
    let mut before = Kind::Nothing;
    let mut rest = tokens;
    while let Some((token, later)) = rest.split_first_mut() {
        let Some(after) = later.first_mut() else { break };
        after.spaces = usize::from(is_spaced(before, token, after.kind));
        before = token.kind;
        rest = later;
    }
}

/// Whether there is a space between `subject` and `after`.
fn is_spaced(before: Kind, subject: &Token<'_>, after: Kind) -> bool {
    use Kind as K;
    let kind = subject.kind;
    match (kind, after) {
        (_, K::Newline) | (K::Word, K::OpenParen) | (K::Dot, _) | (_, K::Dot) => false,
        (K::DoubleColon, _) | (_, K::DoubleColon) => false,
        (_, K::Comma | K::Ellipsis) => false,
        (K::Comma, _) => true,
        // Text of templates is not touched.
        (K::Text | K::Quote | K::HeredocOpen, _) | (_, K::Text | K::Unquote | K::HeredocClose) => false,
        // `in [` of a for is not an index.
        (K::Word, _) if subject.text == "in" && before == K::Word => true,
        (K::Word | K::Number, K::OpenBracket) => false,
        (_, K::OpenBracket) if kind.bracket() < 0 => false,
        (K::Bang, _) => false,
        (K::Minus, _) => ends_expression(before),
        (K::OpenBrace, K::CloseBrace) => false,
        (K::OpenBrace, _) | (_, K::CloseBrace) => true,
        (K::Interpolation, K::OpenBrace) | (K::CloseBrace, K::InterpolationEnd) => true,
        (K::InterpolationEnd, K::Interpolation) => false,
        _ => kind.bracket() <= 0 && after.bracket() >= 0,
    }
}

/// Whether a minus behind it subtracts.
fn ends_expression(before: Kind) -> bool {
    !matches!(
        before,
        Kind::Nothing
            | Kind::OpenParen
            | Kind::OpenBrace
            | Kind::OpenBracket
            | Kind::Equal
            | Kind::Comma
            | Kind::Operator
            | Kind::Minus
            | Kind::Bang
    )
}

/// Puts `=` and comments of neighbouring lines in one column.
fn align(lines: &mut [Line<'_>]) {
    align_column(lines, |line| &mut line.assignment, |line| width(&line.lead));
    align_column(lines, |line| &mut line.comment, |line| width(&line.lead) + width(&line.assignment));
}

fn align_column<'t>(
    lines: &mut [Line<'t>],
    column: for<'a> fn(&'a mut Line<'t>) -> &'a mut Vec<Token<'t>>,
    left: fn(&Line<'t>) -> usize,
) {
    let mut rest = lines;
    while !rest.is_empty() {
        let count = rest.iter_mut().map(column).take_while(|cell| !cell.is_empty()).count();
        let (run, later) = rest.split_at_mut(count);
        let widest = run.iter().map(left).max().unwrap_or(0);
        for line in run {
            let spaces = widest - left(line) + 1;
            if let Some(first) = column(line).first_mut() {
                first.spaces = spaces;
            }
        }
        rest = later.get_mut(1..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests;
