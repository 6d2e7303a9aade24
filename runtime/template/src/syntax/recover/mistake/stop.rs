//! What somebody probably meant where the parser stops.

use super::{line_of, place, rest_of_line};
use crate::layout::lex::{Kind, Token};
use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, FileId, Span};

/// The place where the parser stopped, and the tokens around it.
struct Stop<'t> {
    text: &'t str,
    tokens: &'t [Token<'t>],
    /// The token at or behind the place.
    here: usize,
    /// The tokens of its line begin here.
    line: usize,
    file: FileId,
}

/// The mistake at `offset`, where the parser says `message`.
pub(in super::super) fn at(
    text: &str,
    tokens: &[Token<'_>],
    offset: usize,
    message: &str,
    file: FileId,
) -> Diagnostic {
    let here = tokens.partition_point(|t| t.at + t.text.len() <= offset).min(tokens.len());
    let before = tokens.get(..here).unwrap_or_default();
    let line = before.iter().rposition(Token::ends_line).map_or(0, |at| at + 1);
    let stop = Stop { text, tokens, here, line, file };
    [Stop::assignment, Stop::value, Stop::separator, Stop::twice, Stop::sign, Stop::whole_line]
        .iter()
        .find_map(|rule| rule(&stop))
        .unwrap_or_else(|| stop.plain(offset, message))
}

/// Whether a value can begin with it.
fn begins_value(kind: Kind) -> bool {
    use Kind::{HeredocOpen, Number, OpenBrace, OpenBracket, OpenParen, Quote, Word};
    matches!(kind, Word | Number | Quote | HeredocOpen | OpenBrace | OpenBracket | OpenParen)
}

/// Whether a value can end with it.
fn ends_value(kind: Kind) -> bool {
    use Kind::{CloseBrace, CloseBracket, CloseParen, HeredocClose, Number, Unquote, Word};
    matches!(kind, Word | Number | Unquote | HeredocClose | CloseBrace | CloseBracket | CloseParen)
}

impl Stop<'_> {
    fn token(&self, at: usize) -> Option<&Token<'_>> {
        self.tokens.get(at)
    }

    fn kind(&self, at: usize) -> Kind {
        self.token(at).map_or(Kind::Newline, |t| t.kind)
    }

    fn shown(&self, at: usize) -> &str {
        self.token(at).map_or("", |t| t.text.trim_end())
    }

    fn span(&self, from: usize, to: usize) -> Span {
        let start = self.token(from).map_or(self.text.len(), |t| t.at);
        let end = self.token(to).map_or(start, |t| t.at + t.text.trim_end().len());
        place(self.file, start..end)
    }

    /// What follows on the line as text, shortened.
    fn rest(&self, at: usize) -> String {
        let range = rest_of_line(self.text, self.token(at).map_or(self.text.len(), |t| t.at));
        let rest = self.text.get(range).unwrap_or("");
        let short: String = rest.chars().take(40).collect();
        if short.len() < rest.len() { format!("{short}…") } else { short }
    }

    /// The line begins with a name, and what follows is no `=`: `a: 1`, `a 1`, `a = = 1`.
    fn assignment(&self) -> Option<Diagnostic> {
        let (first, second) = (self.line, self.line + 1);
        if self.kind(first) != Kind::Word || self.innermost().is_some_and(|open| !self.is_block(open)) {
            return None;
        }
        let name = self.shown(first);
        let missing = |summary: String, span: Span, help: String| {
            Some(Diagnostic::error(code::MISSING_EQUALS, summary).at(span).help(help))
        };
        let line_end = (first..self.tokens.len()).find(|at| self.token(*at).is_none_or(Token::ends_line))?;
        match self.kind(second) {
            Kind::Operator if matches!(self.shown(second), ":" | "=>") => {
                let last = if self.kind(second + 1) == Kind::Equal { second + 1 } else { second };
                let sign: String = (second..=last).map(|at| self.shown(at)).collect();
                missing(
                    format!("a value is given with `=`, not `{sign}`"),
                    self.span(second, last),
                    format!("write {name} = {}", self.rest(last + 1)),
                )
            }
            Kind::Dot => Some(
                Diagnostic::error(code::SYNTAX, "the name of an attribute has no dot")
                    .at(self.span(second, second))
                    .help(format!("a value with parts is an object: {name} = {{ … }}")),
            ),
            Kind::Word | Kind::Quote => {
                let brace = (second..line_end).find(|at| self.kind(*at) == Kind::OpenBrace);
                let equal = (second..line_end).find(|at| self.kind(*at) == Kind::Equal);
                match (brace, equal) {
                    (None, None) if self.kind(line_end + 1) == Kind::OpenBrace => Some(
                        Diagnostic::error(code::SYNTAX, "the `{` of a block must be on the line of its kind")
                            .at(self.span(line_end + 1, line_end + 1))
                            .help(format!("move it up, behind `{name}` and its labels")),
                    ),
                    (Some(brace), Some(equal)) if equal < brace => Some(
                        Diagnostic::error(code::SYNTAX, "a block has no `=` before its `{`")
                            .at(self.span(equal, equal))
                            .help("remove the `=`"),
                    ),
                    (None, _) => self.no_equals(name, second),
                    _ => None,
                }
            }
            Kind::Number | Kind::OpenBracket | Kind::HeredocOpen | Kind::OpenParen => {
                self.no_equals(name, second)
            }
            _ => None,
        }
    }

    fn no_equals(&self, name: &str, value: usize) -> Option<Diagnostic> {
        let help = match self.kind(value) {
            Kind::OpenBracket | Kind::HeredocOpen | Kind::OpenParen => {
                format!("write {name} = {}…", self.shown(value))
            }
            _ => format!("write {name} = {}", self.rest(value)),
        };
        let summary = format!("`{name}` needs `=` before its value");
        Some(Diagnostic::error(code::MISSING_EQUALS, summary).at(self.span(value - 1, value - 1)).help(help))
    }

    /// `a =` and nothing, or something that begins no value.
    fn value(&self) -> Option<Diagnostic> {
        let before = self.here.checked_sub(1)?;
        if self.shown(self.here) == "$"
            || (self.shown(before) == "$" && self.kind(self.here) == Kind::OpenBrace)
        {
            let dollar = if self.shown(self.here) == "$" { self.here } else { before };
            let inner = (dollar + 2..self.tokens.len())
                .take_while(|at| !matches!(self.kind(*at), Kind::CloseBrace | Kind::Newline))
                .map(|at| self.shown(at))
                .collect::<String>();
            return Some(
                Diagnostic::error(code::SYNTAX, "`${ }` belongs into text; an expression stands by itself")
                    .at(self.span(dollar, dollar + 1))
                    .help(format!("write {inner}")),
            );
        }
        let nothing = matches!(self.kind(self.here), Kind::Newline | Kind::Comment | Kind::CloseBrace);
        let name = before.checked_sub(1).map_or("", |at| self.shown(at));
        (self.kind(before) == Kind::Equal && nothing).then(|| {
            Diagnostic::error(code::SYNTAX, format!("`{name}` has no value"))
                .at(self.span(before, before))
                .help(format!(
                    "write a value behind the `=`, or remove `{name}`; a null value is written null"
                ))
        })
    }

    /// The innermost bracket that is open at the place.
    fn innermost(&self) -> Option<usize> {
        let mut depth = 0;
        (0..self.here).rev().find(|at| {
            depth += self.kind(*at).bracket();
            depth > 0
        })
    }

    /// Whether an opening brace begins a block: no `=` stands before it on its line.
    fn is_block(&self, open: usize) -> bool {
        let before = (0..open).rev().take_while(|at| self.token(*at).is_some_and(|t| !t.ends_line()));
        let mut kinds = before.map(|at| self.kind(at)).peekable();
        let after_name = matches!(kinds.peek(), Some(Kind::Word | Kind::Unquote));
        self.kind(open) == Kind::OpenBrace && after_name && !kinds.any(|kind| kind == Kind::Equal)
    }

    /// Two values beside each other, or a comma where none belongs.
    fn separator(&self) -> Option<Diagnostic> {
        let before =
            (0..self.here).rev().find(|at| !matches!(self.kind(*at), Kind::Newline | Kind::Comment))?;
        let innermost = self.innermost();
        let in_block = innermost.is_none_or(|open| self.is_block(open));
        let two = ends_value(self.kind(before)) && begins_value(self.kind(self.here));
        if in_block && self.kind(self.here) == Kind::Comma {
            return Some(
                Diagnostic::error(
                    code::SYNTAX,
                    "the attributes of a block are separated by line ends, not by commas",
                )
                .at(self.span(self.here, self.here))
                .help("remove the comma; each attribute stands on a line of its own"),
            );
        }
        let same_line = innermost.is_some_and(|open| open >= self.line);
        if in_block && two && same_line {
            return Some(
                Diagnostic::error(code::SYNTAX, "a block on one line has at most one attribute")
                    .at(self.span(self.here, self.here))
                    .help("put `{`, each attribute and `}` on lines of their own"),
            );
        }
        let is_loop = innermost.is_some_and(|open| self.shown(open + 1) == "for");
        if in_block || !two || is_loop {
            return None;
        }
        let summary = format!("a comma is missing before `{}`", self.rest_word());
        let (line, next) =
            (line_of(self.text, self.token(before)?.at), line_of(self.text, self.token(self.here)?.at));
        let help = if line == next {
            "add `,` between the two".to_owned()
        } else {
            format!("add `,` at the end of line {line}")
        };
        Some(Diagnostic::error(code::MISSING_COMMA, summary).at(self.span(before, before)).help(help))
    }

    /// The value at the place, shortened.
    fn rest_word(&self) -> String {
        let rest = self.rest(self.here);
        let end = rest.char_indices().skip(1).find(|(_, c)| matches!(c, '"' | ',' | ' ')).map_or(
            rest.len(),
            |(at, c)| {
                if c == '"' { at + 1 } else { at }
            },
        );
        rest.get(..end).unwrap_or(&rest).to_owned()
    }

    /// An attribute of this name stands in the block already.
    fn twice(&self) -> Option<Diagnostic> {
        let name = self.token(self.here).filter(|t| t.kind == Kind::Word)?;
        if self.kind(self.here + 1) != Kind::Equal {
            return None;
        }
        let mut depth = 0;
        let first = (0..self.here).rev().take_while(|at| {
            depth += self.kind(*at).bracket();
            depth <= 0
        });
        let mut level = 0;
        let mut found = None;
        for at in first {
            level += self.kind(at).bracket();
            let same = level == 0 && self.shown(at) == name.text && self.kind(at + 1) == Kind::Equal;
            found = found.or(same.then_some(at));
        }
        let line = line_of(self.text, self.token(found?)?.at);
        Some(
            Diagnostic::error(code::DUPLICATE, format!("`{}` is set twice", name.text))
                .at(self.span(self.here, self.here))
                .detail(format!("it is set in line {line} already"))
                .help("remove one of the two"),
        )
    }

    /// A sign or a word of other languages.
    fn sign(&self) -> Option<Diagnostic> {
        // The parser goes back to the start of the line if it can make nothing of an operator.
        let single = |at: &usize| self.kind(*at) == Kind::Operator && matches!(self.shown(*at), "&" | "|");
        let here = (self.here..self.tokens.len())
            .take_while(|at| self.here == self.line && self.kind(*at) != Kind::Newline)
            .find(single)
            .unwrap_or(self.here);
        let glued = here > self.line && self.kind(here - 1) == Kind::Number && self.token(here)?.spaces == 0;
        let help = match (self.kind(here), self.shown(here)) {
            (Kind::Word, _) if glued => {
                "numbers have decimal digits only; put text in double quotes".to_owned()
            }
            (Kind::OpenBrace, _) if self.token(here)?.at == 0 => {
                "if this is JSON, name the file *.pkr.json".to_owned()
            }
            (Kind::Operator, ";") => "remove it: a line needs no sign at its end".to_owned(),
            (Kind::Word, "and") => "write &&".to_owned(),
            (Kind::Word, "or") => "write ||".to_owned(),
            (Kind::Operator, sign @ ("&" | "|")) => format!("write {sign}{sign}"),
            (Kind::Text, text) if text.contains('\\') => {
                "a backslash in text is written twice: \\\\; escapes are \\n \\r \\t \\\" \\\\ \\uNNNN"
                    .to_owned()
            }
            _ => return None,
        };
        let summary = match self.kind(here) {
            Kind::Text => "this text has a backslash that begins no escape".to_owned(),
            _ => format!("`{}` means nothing here", self.shown(here)),
        };
        let span = if self.kind(here) == Kind::Text { self.escape(here) } else { None };
        Some(Diagnostic::error(code::SYNTAX, summary).at(span.unwrap_or(self.span(here, here))).help(help))
    }

    /// The parser went back to the start of the line.
    fn whole_line(&self) -> Option<Diagnostic> {
        if self.here != self.line {
            return None;
        }
        if matches!(self.kind(self.here), Kind::Operator | Kind::Minus | Kind::Dot) {
            let summary = format!("a line cannot begin with `{}`", self.shown(self.here));
            let help = "put the whole expression in ( ), then it may go over several lines";
            return Some(
                Diagnostic::error(code::SYNTAX, summary).at(self.span(self.here, self.here)).help(help),
            );
        }
        if self.kind(self.here + 1) != Kind::Equal {
            return None;
        }
        let directive = (self.here..self.tokens.len())
            .take_while(|at| self.kind(*at) != Kind::Newline)
            .find(|at| self.shown(*at).starts_with("%{"));
        Some(match directive {
            Some(at) => Diagnostic::error(code::SYNTAX, "the directives of this text do not fit together")
                .at(self.span(at, at))
                .help("write %{ if … }…%{ else }…%{ endif } or %{ for NAME in LIST }…%{ endfor }; %%{ for the two signs"),
            None => {
                let summary = format!("the value of `{}` cannot be read", self.shown(self.here));
                Diagnostic::error(code::SYNTAX, summary).at(self.span(self.here + 2, self.here + 2))
            }
        })
    }

    /// The backslash in a text that begins no escape.
    fn escape(&self, at: usize) -> Option<Span> {
        let token = self.token(at)?;
        let mut chars = token.text.char_indices();
        while let Some((here, c)) = chars.next() {
            if c == '\\' {
                let next = chars.next().map_or(' ', |(_, c)| c);
                if !"nrtuU\\\"".contains(next) {
                    let start = token.at + here;
                    return Some(place(self.file, start..start + 1 + next.len_utf8()));
                }
            }
        }
        None
    }

    fn plain(&self, offset: usize, message: &str) -> Diagnostic {
        let length = self.text.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let (summary, help) = plainly(message);
        let mut found = Diagnostic::error(code::SYNTAX, format!("syntax error: {summary}"))
            .at(place(self.file, offset..offset + length));
        found.help = help.map(str::to_owned);
        found
    }
}

/// What the parser says in words for people, and what to do.
fn plainly(message: &str) -> (&str, Option<&'static str>) {
    let starts = |start: &str| message.starts_with(start);
    if starts("invalid expression") {
        let help = "text stands in double quotes, a list in [ ], an object in { }";
        return ("a value is expected here", Some(help));
    }
    if starts("invalid block body") || starts("unexpected token") {
        let help = "a name begins with a letter and has no quotes: name = value";
        return ("the name of an attribute or block is expected here", Some(help));
    }
    if starts("invalid structure") {
        return ("`=` or `{` is expected here", Some("write name = value, or kind \"label\" { … }"));
    }
    match message {
        "expected newline or eof" => {
            let help = "text stands in quotes, and each attribute on a line of its own";
            ("the line should end here", Some(help))
        }
        _ if starts("invalid object value assignment") => {
            let help = "an object is written { name = value }, a list [ value ]";
            ("`=` is expected behind the key", Some(help))
        }
        "expected `:`" => {
            let help = "write CONDITION ? VALUE : OTHER, or [for NAME in LIST : VALUE]";
            ("`:` is expected here", Some(help))
        }
        "expected `=>`" => ("`=>` is expected here", Some("write { for KEY, VALUE in MAP : KEY => VALUE }")),
        _ => (message, None),
    }
}
