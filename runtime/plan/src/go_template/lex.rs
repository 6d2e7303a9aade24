//! Text into tokens. Trims (`{{-`, `-}}`) and comments are done here, so the parser never sees them.

use super::TemplateError;
use serde_json::{Number, Value as Json};

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Text outside of actions.
    Text(String),
    /// `{{`.
    Left,
    /// `}}`.
    Right,
    /// `.Name`.
    Field(String),
    /// `$name`; empty for `$`.
    Variable(String),
    /// A keyword, `true`, `nil` or a function.
    Word(String),
    /// A string or number.
    Literal(Json),
    /// `.` alone.
    Dot,
    /// One of `| ( ) , =` and `:` for `:=`.
    Sign(char),
    /// Space between words; it separates `.a .b` from `.a.b`.
    Space,
}

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// What.
    pub(super) kind: Kind,
    /// First byte.
    pub(super) offset: usize,
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token>,
    /// The next text loses the space in front of it.
    trim_next: bool,
}

/// All tokens of a template.
pub(super) fn lex(text: &str) -> Result<Vec<Token>, TemplateError> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), trim_next: false };
    while lexer.text_until_action()? {}
    Ok(lexer.tokens)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, kind: Kind, offset: usize) {
        self.tokens.push(Token { kind, offset });
    }

    /// Reads text and the action after it; false at the end.
    fn text_until_action(&mut self) -> Result<bool, TemplateError> {
        let start = self.at;
        let rest = self.rest();
        let found = rest.find("{{");
        let mut text = rest.get(..found.unwrap_or(rest.len())).unwrap_or("");
        if self.trim_next {
            text = text.trim_start_matches(is_space);
        }
        let Some(found) = found else {
            let text = text.to_owned();
            self.push_text(text, start);
            return Ok(false);
        };
        let after = rest.get(found + 2..).unwrap_or("");
        let trims = after.strip_prefix('-').is_some_and(|a| a.starts_with(is_space));
        if trims {
            text = text.trim_end_matches(is_space);
        }
        let text = text.to_owned();
        self.push_text(text, start);
        self.trim_next = false;
        let open = start + found;
        self.at = open + 2 + if trims { 2 } else { 0 };
        if self.rest().starts_with("/*") {
            self.comment(open)?;
        } else {
            self.push(Kind::Left, open);
            self.action(open)?;
        }
        Ok(true)
    }

    fn push_text(&mut self, text: String, offset: usize) {
        if !text.is_empty() {
            self.push(Kind::Text(text), offset);
        }
    }

    fn comment(&mut self, open: usize) -> Result<(), TemplateError> {
        let end = self.rest().find("*/").ok_or_else(|| TemplateError::new(open, "unclosed comment"))?;
        self.at += end + 2;
        if self.close().is_none() {
            return Err(TemplateError::new(open, "comment ends before closing delimiter"));
        }
        Ok(())
    }

    /// Takes `}}` or ` -}}` if it is next.
    fn close(&mut self) -> Option<usize> {
        let start = self.at;
        let rest = self.rest();
        if rest.starts_with("}}") {
            self.at += 2;
            return Some(start);
        }
        let space = rest.chars().next().filter(|c| is_space(*c))?;
        if rest.get(space.len_utf8()..)?.starts_with("-}}") {
            self.at += space.len_utf8() + 3;
            self.trim_next = true;
            return Some(start);
        }
        None
    }

    fn action(&mut self, open: usize) -> Result<(), TemplateError> {
        let mut depth = 0usize;
        loop {
            if let Some(at) = self.close() {
                if depth > 0 {
                    return Err(TemplateError::new(at, "unclosed left paren"));
                }
                self.push(Kind::Right, at);
                return Ok(());
            }
            let offset = self.at;
            let Some(c) = self.rest().chars().next() else {
                return Err(TemplateError::new(open, "unclosed action"));
            };
            match c {
                _ if is_space(c) => self.space(offset),
                '"' => self.quoted(offset)?,
                '`' => self.raw(offset)?,
                '\'' => self.character(offset)?,
                '0'..='9' | '+' | '-' => self.number(offset)?,
                '.' if self.rest().get(1..).is_some_and(|r| r.starts_with(|c: char| c.is_ascii_digit())) => {
                    self.number(offset)?;
                }
                '.' | '$' => self.name(c, offset),
                _ if is_word(c) => {
                    let word = self.take_word();
                    self.push(Kind::Word(word), offset);
                }
                _ => self.sign(c, offset, &mut depth)?,
            }
        }
    }

    fn space(&mut self, offset: usize) {
        // Stops in front of a space that belongs to ` -}}`.
        while self.rest().starts_with(is_space) {
            let trim = self.rest().get(1..).is_some_and(|r| r.starts_with("-}}"));
            if trim {
                break;
            }
            self.at += 1;
        }
        self.push(Kind::Space, offset);
    }

    fn take_word(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or("").to_owned();
        self.at += end;
        word
    }

    fn name(&mut self, c: char, offset: usize) {
        self.at += 1;
        let word = self.take_word();
        let kind = match (c, word.is_empty()) {
            ('$', _) => Kind::Variable(word),
            (_, true) => Kind::Dot,
            (_, false) => Kind::Field(word),
        };
        self.push(kind, offset);
    }

    fn sign(&mut self, c: char, offset: usize, depth: &mut usize) -> Result<(), TemplateError> {
        match c {
            '(' => *depth += 1,
            ')' => {
                *depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| TemplateError::new(offset, "unexpected right paren"))?;
            }
            '|' | ',' | '=' => {}
            ':' if self.rest().starts_with(":=") => self.at += 1,
            _ => return Err(TemplateError::new(offset, format!("unexpected {c:?} in an action"))),
        }
        self.at += c.len_utf8();
        self.push(Kind::Sign(c), offset);
        Ok(())
    }

    fn raw(&mut self, offset: usize) -> Result<(), TemplateError> {
        let inner = self.rest().get(1..).unwrap_or("");
        let end =
            inner.find('`').ok_or_else(|| TemplateError::new(offset, "unterminated raw quoted string"))?;
        // Go drops carriage returns from raw strings.
        let text = inner.get(..end).unwrap_or("").replace('\r', "");
        self.at += end + 2;
        self.push(Kind::Literal(text.into()), offset);
        Ok(())
    }

    fn quoted(&mut self, offset: usize) -> Result<(), TemplateError> {
        let text = self.until_quote('"', offset)?;
        self.push(Kind::Literal(text.into()), offset);
        Ok(())
    }

    fn character(&mut self, offset: usize) -> Result<(), TemplateError> {
        let text = self.until_quote('\'', offset)?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => self.push(Kind::Literal(u32::from(c).into()), offset),
            _ => return Err(TemplateError::new(offset, "malformed character constant")),
        }
        Ok(())
    }

    /// Reads a quoted string with Go's escapes.
    fn until_quote(&mut self, quote: char, offset: usize) -> Result<String, TemplateError> {
        let bad = |what: &str| TemplateError::new(offset, what.to_owned());
        let mut bytes = Vec::new();
        let mut chars = self.text.get(offset + 1..).unwrap_or("").char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\n' => break,
                _ if c == quote => {
                    self.at = offset + 1 + at + 1;
                    return String::from_utf8(bytes).map_err(|_| bad("string is not UTF-8"));
                }
                '\\' => {
                    let (_, escape) = chars.next().ok_or_else(|| bad("unterminated quoted string"))?;
                    let mut digits = |first: Option<char>, count: usize, radix: u32| {
                        let mut number = first.and_then(|c| c.to_digit(radix)).unwrap_or(0);
                        for _ in 0..count {
                            let digit = chars.next().and_then(|(_, c)| c.to_digit(radix));
                            number = number * radix + digit.ok_or_else(|| bad("invalid escape"))?;
                        }
                        Ok::<u32, TemplateError>(number)
                    };
                    let c = match escape {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        'a' => '\x07',
                        'b' => '\x08',
                        'f' => '\x0c',
                        'v' => '\x0b',
                        '\\' | '"' | '\'' => escape,
                        'x' | '0'..='7' => {
                            let number = if escape == 'x' {
                                digits(None, 2, 16)?
                            } else {
                                digits(Some(escape), 2, 8)?
                            };
                            bytes.push(u8::try_from(number).map_err(|_| bad("invalid escape"))?);
                            continue;
                        }
                        'u' | 'U' => {
                            let number = digits(None, if escape == 'u' { 4 } else { 8 }, 16)?;
                            char::from_u32(number).ok_or_else(|| bad("invalid escape"))?
                        }
                        _ => return Err(bad("unknown escape")),
                    };
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        Err(bad("unterminated quoted string"))
    }

    fn number(&mut self, offset: usize) -> Result<(), TemplateError> {
        let rest = self.rest();
        let mut previous = ' ';
        let end = rest
            .find(|c: char| {
                let exponent = matches!(previous, 'e' | 'E' | 'p' | 'P');
                let sign = matches!(c, '+' | '-') && (previous == ' ' || exponent);
                previous = c;
                !(sign || c == '.' || is_word(c))
            })
            .unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or("");
        let number = parse_number(text)
            .ok_or_else(|| TemplateError::new(offset, format!("bad number syntax: {text:?}")))?;
        self.at += end;
        self.push(Kind::Literal(number), offset);
        Ok(())
    }
}

/// A Go number literal: decimal, `0x`, `0o`, `0b`, old octal, underscores, floats.
fn parse_number(text: &str) -> Option<Json> {
    let clean = text.replace('_', "");
    let (negative, digits) = match clean.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, clean.strip_prefix('+').unwrap_or(&clean)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = if let Some(body) = lower.strip_prefix("0x") {
        (16, body)
    } else if let Some(body) = lower.strip_prefix("0b") {
        (2, body)
    } else if let Some(body) = lower.strip_prefix("0o") {
        (8, body)
    } else if lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|b| b.is_ascii_digit()) {
        (8, lower.as_str())
    } else {
        (10, lower.as_str())
    };
    if body.is_empty() || body.starts_with(['+', '-']) {
        return None;
    }
    if let Ok(whole) = i64::from_str_radix(body, radix) {
        return Some(if negative { -whole } else { whole }.into());
    }
    if radix != 10 || !body.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let float: f64 = body.parse().ok()?;
    Number::from_f64(if negative { -float } else { float }).map(Json::Number)
}
