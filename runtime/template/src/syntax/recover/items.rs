//! The top-level items of a file by its brackets, and the statements in them.

use crate::layout::lex::{Kind, Token};
use std::ops::Range;

/// How far up an opening bracket is looked for.
const DEEPEST: usize = 64;

/// An attribute or block at the top level, with what follows up to the next.
pub(super) struct Item {
    pub(super) range: Range<usize>,
    /// The tokens of it.
    pub(super) tokens: Range<usize>,
    pub(super) unclosed: Option<Unclosed>,
    /// Closing brackets without an opening one; by token.
    pub(super) strays: Vec<usize>,
}

/// An opening bracket without a closing one; by token.
#[derive(Debug, Clone)]
pub(super) struct Unclosed {
    pub(super) open: usize,
    /// What shows that it is not closed; none if that is the end of the file.
    pub(super) found: Option<usize>,
}

/// Splits a file. The first try trusts the brackets; if they do not fit, a header of a block that
/// stands at the margin begins an item whatever is open.
pub(super) fn split(tokens: &[Token<'_>], length: usize) -> Vec<Item> {
    let trusting = Splitter::new(tokens, false).run(length);
    if trusting.iter().all(|item| item.unclosed.is_none() && item.strays.is_empty()) {
        return trusting;
    }
    Splitter::new(tokens, true).run(length)
}

struct Open {
    token: usize,
    kind: Kind,
    indent: usize,
}

struct Splitter<'t> {
    tokens: &'t [Token<'t>],
    margin: bool,
    open: Vec<Open>,
    /// An opening bracket that was closed at the indentation of an outer one.
    suspect: Option<Unclosed>,
    start: usize,
    unclosed: Option<Unclosed>,
    strays: Vec<usize>,
    items: Vec<Item>,
}

impl<'t> Splitter<'t> {
    fn new(tokens: &'t [Token<'t>], margin: bool) -> Self {
        Self {
            tokens,
            margin,
            open: Vec::new(),
            suspect: None,
            start: 0,
            unclosed: None,
            strays: Vec::new(),
            items: Vec::new(),
        }
    }

    fn run(mut self, length: usize) -> Vec<Item> {
        let (mut line_start, mut indent, mut empty) = (true, 0, true);
        for (index, token) in self.tokens.iter().enumerate() {
            if line_start {
                indent = token.spaces;
                if token.kind == Kind::Word && self.begins(index) {
                    if !empty {
                        self.finish(index, token.at);
                    }
                    empty = false;
                }
            }
            match token.kind.bracket() {
                1 => self.open.push(Open { token: index, kind: token.kind, indent }),
                -1 => self.close(index, line_start.then_some(indent)),
                _ => {}
            }
            empty &= matches!(token.kind, Kind::Newline | Kind::Comment);
            line_start = token.ends_line();
        }
        self.finish(self.tokens.len(), length);
        self.items
    }

    /// Whether an item begins here.
    fn begins(&self, index: usize) -> bool {
        self.open.is_empty() || (self.margin && is_header_at_margin(self.tokens.get(index..).unwrap_or(&[])))
    }

    fn finish(&mut self, end: usize, at: usize) {
        if let Some(innermost) = self.open.last() {
            let found = (end < self.tokens.len()).then_some(end);
            let unclosed = self.suspect.take().unwrap_or(Unclosed { open: innermost.token, found });
            self.unclosed.get_or_insert(unclosed);
        }
        let begin = self.tokens.get(self.start).map_or(0, |token| token.at);
        let begin = if self.items.is_empty() { 0 } else { begin };
        self.items.push(Item {
            range: begin..at,
            tokens: self.start..end,
            unclosed: self.unclosed.take(),
            strays: std::mem::take(&mut self.strays),
        });
        self.open.clear();
        self.suspect = None;
        self.start = end;
    }

    /// `indent` is there if the bracket is the first of its line.
    fn close(&mut self, index: usize, indent: Option<usize>) {
        let Some(kind) = self.tokens.get(index).map(|token| token.kind) else { return };
        // The parser does not nest deeper, and a hostile text must not make this slow.
        let far = self.open.len().saturating_sub(DEEPEST);
        let near = self.open.get(far..).unwrap_or_default();
        let Some(at) = near.iter().rposition(|open| closes(open.kind) == kind).map(|at| far + at) else {
            self.strays.push(index);
            return;
        };
        let inner = self.open.split_off(at);
        if let Some(first) = inner.get(1) {
            self.unclosed.get_or_insert(Unclosed { open: first.token, found: Some(index) });
        }
        if let (Some(indent), Some(opened)) = (indent, inner.first())
            && indent < opened.indent
            && self.open.iter().any(|outer| outer.indent == indent)
        {
            self.suspect.get_or_insert(Unclosed { open: opened.token, found: Some(index) });
        }
    }
}

/// The kind that closes a bracket.
fn closes(open: Kind) -> Kind {
    match open {
        Kind::OpenBrace => Kind::CloseBrace,
        Kind::OpenBracket => Kind::CloseBracket,
        Kind::OpenParen => Kind::CloseParen,
        Kind::Interpolation => Kind::InterpolationEnd,
        _ => Kind::Nothing,
    }
}

/// `variable "x" {` at the start of a line: nothing else looks like it in a template.
fn is_header_at_margin(tokens: &[Token<'_>]) -> bool {
    let Some(first) = tokens.first().filter(|first| first.spaces == 0) else { return false };
    let known = ["packer", "variable", "variables", "local", "locals", "data", "source", "build"]
        .contains(&first.text);
    let in_header = |kind| matches!(kind, Kind::Quote | Kind::Text | Kind::Unquote | Kind::Word);
    let after = tokens.iter().skip(1).find(|token| !in_header(token.kind));
    known && after.is_some_and(|token| token.kind == Kind::OpenBrace)
}

/// The bytes of the innermost attribute or block of an item that holds `offset`: a line as a rule, a
/// whole block if its header is what is wrong.
pub(super) fn statement(tokens: &[Token<'_>], offset: usize) -> Option<Range<usize>> {
    // For every bracket, where the block that it opens begins; none if it opens no block.
    let mut open: Vec<Option<(usize, usize)>> = Vec::new();
    let (mut begin, mut has_equal) = (None, false);
    let mut last = None;
    for (index, token) in tokens.iter().enumerate() {
        let in_block = open.last().is_none_or(Option::is_some);
        let end = token.at + token.text.len();
        match token.kind {
            Kind::OpenBrace if in_block && !has_equal => {
                open.push(Some((begin.unwrap_or(token.at), token.at)));
                (begin, has_equal) = (None, false);
                continue;
            }
            kind if kind.bracket() == 1 => open.push(None),
            kind if kind.bracket() == -1 => {
                if in_block && let Some(start) = begin.take().filter(|start| (*start..end).contains(&offset))
                {
                    return Some(start..token.at);
                }
                let header =
                    open.pop().flatten().filter(|(start, brace)| (*start..=*brace).contains(&offset));
                if let Some((start, _)) = header {
                    return Some(start..end);
                }
            }
            Kind::Equal if in_block => has_equal = true,
            _ => {}
        }
        let in_block = open.last().is_none_or(Option::is_some);
        // A brace on the next line is one of a block all the same.
        let goes_on =
            begin.is_some() && tokens.get(index + 1).is_some_and(|next| next.kind == Kind::OpenBrace);
        if token.ends_line() && in_block && !goes_on {
            if let Some(start) = begin.take() {
                last = Some(start..end);
                if (start..end).contains(&offset) {
                    return last;
                }
            }
            if token.at > offset {
                return last;
            }
            has_equal = false;
        } else if in_block && begin.is_none() && token.kind.bracket() != -1 {
            begin = Some(token.at);
        }
    }
    begin.map(|start| start..tokens.last().map_or(start, |t| t.at + t.text.len())).or(last)
}
