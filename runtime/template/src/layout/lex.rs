//! Text into tokens, for the layout and for finding mistakes. Every byte that is not a space or tab
//! is in a token, whatever the text is.

/// What a token is, as far as the layout cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No token.
    Nothing,
    /// A line end.
    Newline,
    /// With its line end, if it is not `/* */`.
    Comment,
    Word,
    Number,
    Quote,
    Unquote,
    /// Text of a string or heredoc.
    Text,
    /// `<<EOT` with its line end.
    HeredocOpen,
    /// The last line of a heredoc without its line end, spaces behind it included.
    HeredocClose,
    /// `${` or `%{`.
    Interpolation,
    InterpolationEnd,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParen,
    CloseParen,
    Equal,
    Dot,
    Comma,
    Ellipsis,
    DoubleColon,
    Minus,
    Bang,
    /// Any other sign.
    Operator,
}

impl Kind {
    /// 1 if it opens, -1 if it closes.
    pub(crate) fn bracket(self) -> i64 {
        match self {
            Self::OpenBrace | Self::OpenBracket | Self::OpenParen | Self::Interpolation => 1,
            Self::CloseBrace | Self::CloseBracket | Self::CloseParen | Self::InterpolationEnd => -1,
            _ => 0,
        }
    }
}

/// A token and the spaces in front of it.
#[derive(Debug, Clone)]
pub(crate) struct Token<'t> {
    /// Its first byte.
    pub(crate) at: usize,
    pub(crate) kind: Kind,
    pub(crate) text: &'t str,
    pub(crate) spaces: usize,
}

impl Token<'_> {
    /// Whether the next token is on another line.
    pub(crate) fn ends_line(&self) -> bool {
        self.kind == Kind::Newline || (self.kind == Kind::Comment && self.text.ends_with('\n'))
    }
}

/// What the lexer is inside of.
enum Inside {
    /// An interpolation, with the braces open in it.
    Interpolation(usize),
    Quotes,
    /// A heredoc, with the word that ends it.
    Heredoc(String),
}

/// Something that begins at a byte and does not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unclosed {
    pub(crate) what: Unended,
    pub(crate) at: usize,
    /// Where the outermost text that it breaks begins.
    pub(crate) from: usize,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unended {
    Comment,
    Interpolation,
    Quotes,
    /// With the word that should end it.
    Heredoc(String),
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    spaces: usize,
    tokens: Vec<Token<'t>>,
    /// With the byte where it began.
    inside: Vec<(Inside, usize)>,
    unclosed: Vec<Unclosed>,
}

/// All tokens; `None` if a string, heredoc, comment or interpolation does not end.
pub(crate) fn lex(text: &str) -> Option<Vec<Token<'_>>> {
    let (tokens, unclosed) = scan(text);
    unclosed.is_empty().then_some(tokens)
}

/// All tokens and what does not end. A string ends with its line at the latest.
pub(crate) fn scan(text: &str) -> (Vec<Token<'_>>, Vec<Unclosed>) {
    let mut lexer =
        Lexer { text, at: 0, spaces: 0, tokens: Vec::new(), inside: Vec::new(), unclosed: Vec::new() };
    while lexer.at < text.len() {
        let before = (lexer.at, lexer.inside.len());
        match lexer.inside.last() {
            None | Some((Inside::Interpolation(_), _)) => lexer.normal(),
            Some((Inside::Quotes, _)) => lexer.quoted(),
            Some((Inside::Heredoc(_), _)) => lexer.heredoc(),
        };
        if before == (lexer.at, lexer.inside.len()) {
            lexer.at += lexer.rest().chars().next().map_or(1, char::len_utf8);
        }
    }
    if let Some((inside, at)) = lexer.inside.drain(..).next() {
        let what = match inside {
            Inside::Interpolation(_) => Unended::Interpolation,
            Inside::Quotes => Unended::Quotes,
            Inside::Heredoc(word) => Unended::Heredoc(word),
        };
        lexer.unclosed.push(Unclosed { what, at, from: at });
    }
    (lexer.tokens, lexer.unclosed)
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Takes `length` bytes as a token.
    fn take(&mut self, kind: Kind, length: usize) -> Option<()> {
        let text = self.rest().get(..length).filter(|text| !text.is_empty())?;
        self.tokens.push(Token { at: self.at, kind, text, spaces: std::mem::take(&mut self.spaces) });
        self.at += length;
        Some(())
    }

    fn normal(&mut self) -> Option<()> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        match first {
            ' ' | '\t' | '\u{feff}' => {
                self.at += first.len_utf8();
                self.spaces += 1;
                Some(())
            }
            '\n' => self.take(Kind::Newline, 1),
            '\r' => self.take(Kind::Newline, if rest.starts_with("\r\n") { 2 } else { 1 }),
            '#' => self.line_comment(),
            '/' if rest.starts_with("//") => self.line_comment(),
            '/' if rest.starts_with("/*") => {
                let Some(end) = rest.get(2..)?.find("*/") else {
                    self.unclosed.push(Unclosed { what: Unended::Comment, at: self.at, from: self.at });
                    return self.take(Kind::Comment, rest.len());
                };
                self.take(Kind::Comment, end + 4)
            }
            '"' => {
                self.inside.push((Inside::Quotes, self.at));
                self.take(Kind::Quote, 1)
            }
            '<' if rest.starts_with("<<") => self.open_heredoc(),
            '0'..='9' => {
                let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
                let exponent = rest.get(end..)?.strip_prefix(['e', 'E']).map_or(0, |r| {
                    let signed = r.strip_prefix(['+', '-']).unwrap_or(r);
                    let digits = signed.find(|c: char| !c.is_ascii_digit()).unwrap_or(signed.len());
                    if digits == 0 { 0 } else { 1 + (r.len() - signed.len()) + digits }
                });
                self.take(Kind::Number, end + exponent)
            }
            c if unicode_ident::is_xid_start(c) || c == '_' => {
                let end = rest.find(|c| !in_word(c));
                self.take(Kind::Word, end.unwrap_or(rest.len()))
            }
            _ => self.sign(first),
        }
    }

    fn line_comment(&mut self) -> Option<()> {
        let rest = self.rest();
        self.take(Kind::Comment, rest.find('\n').map_or(rest.len(), |at| at + 1))
    }

    fn sign(&mut self, first: char) -> Option<()> {
        let rest = self.rest();
        if let Some((Inside::Interpolation(braces), _)) = self.inside.last_mut() {
            let closes = *braces == 0 && (first == '}' || rest.starts_with("~}"));
            match first {
                _ if closes => {
                    self.inside.pop();
                    return self.take(Kind::InterpolationEnd, if first == '}' { 1 } else { 2 });
                }
                '{' => *braces += 1,
                '}' => *braces -= 1,
                _ => {}
            }
        }
        let two = ["==", "!=", "<=", ">=", "&&", "||", "=>"];
        if rest.starts_with("...") {
            return self.take(Kind::Ellipsis, 3);
        }
        if rest.starts_with("::") {
            return self.take(Kind::DoubleColon, 2);
        }
        if two.iter().any(|sign| rest.starts_with(sign)) {
            return self.take(Kind::Operator, 2);
        }
        let kind = match first {
            '{' => Kind::OpenBrace,
            '}' => Kind::CloseBrace,
            '[' => Kind::OpenBracket,
            ']' => Kind::CloseBracket,
            '(' => Kind::OpenParen,
            ')' => Kind::CloseParen,
            '=' => Kind::Equal,
            '.' => Kind::Dot,
            ',' => Kind::Comma,
            '-' => Kind::Minus,
            '!' => Kind::Bang,
            _ => Kind::Operator,
        };
        self.take(kind, first.len_utf8())
    }

    /// The length of text up to an interpolation, or up to `end`.
    fn text_length(&self, end: impl Fn(&str) -> bool, escapes: bool) -> usize {
        let rest = self.rest();
        let mut at = 0;
        while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
            if end(here) || here.starts_with("${") || here.starts_with("%{") {
                return at;
            }
            let mut skip = here.chars().next().map_or(1, char::len_utf8);
            if here.starts_with("$${") || here.starts_with("%%{") {
                skip = 3;
            } else if escapes && here.starts_with('\\') {
                skip = 1 + here.chars().nth(1).map_or(0, char::len_utf8);
            }
            at += skip;
        }
        rest.len()
    }

    fn interpolation(&mut self) -> Option<()> {
        let length = if self.rest().get(2..)?.starts_with('~') { 3 } else { 2 };
        self.inside.push((Inside::Interpolation(0), self.at));
        self.take(Kind::Interpolation, length)
    }

    fn quoted(&mut self) -> Option<()> {
        let length = self.text_length(|here| here.starts_with(['"', '\n']), true);
        if length > 0 {
            return self.take(Kind::Text, length);
        }
        if self.rest().starts_with('"') {
            self.inside.pop();
            return self.take(Kind::Unquote, 1);
        }
        if self.rest().starts_with('\n') {
            self.cut_line();
            return Some(());
        }
        self.interpolation()
    }

    /// The line ends inside of a string: leaves it, and the strings around it.
    fn cut_line(&mut self) {
        let heredoc = self.inside.iter().rposition(|(inside, _)| matches!(inside, Inside::Heredoc(_)));
        let left = self.inside.split_off(heredoc.map_or(0, |at| at + 1));
        let inner = left.iter().rfind(|(inside, _)| matches!(inside, Inside::Interpolation(_)));
        let Some((_, from)) = left.first() else { return };
        let (what, at) = match inner {
            Some((_, at)) => (Unended::Interpolation, *at),
            None => (Unended::Quotes, *from),
        };
        self.unclosed.push(Unclosed { what, at, from: *from });
    }

    fn open_heredoc(&mut self) -> Option<()> {
        let rest = self.rest();
        let Some(end) = rest.find('\n') else { return self.take(Kind::Operator, 2) };
        let word = rest.get(2..end)?.trim_end().trim_start_matches('-').to_owned();
        if word.is_empty() || !word.chars().all(in_word) {
            return self.take(Kind::Operator, 1);
        }
        self.inside.push((Inside::Heredoc(word), self.at));
        self.take(Kind::HeredocOpen, end + 1)
    }

    fn heredoc(&mut self) -> Option<()> {
        let Some((Inside::Heredoc(word), _)) = self.inside.last() else { return None };
        let rest = self.rest();
        let at_line_start = self.tokens.last().is_some_and(|token| token.text.ends_with('\n'));
        if at_line_start {
            let line = rest.split('\n').next().unwrap_or(rest);
            if line.trim() == word {
                let length = line.strip_suffix('\r').unwrap_or(line).len();
                self.inside.pop();
                return self.take(Kind::HeredocClose, length);
            }
        }
        // A line at a time, so that the end is looked for on each.
        let to_interpolation = self.text_length(|_| false, false);
        let length = rest.find('\n').map_or(rest.len(), |at| at + 1).min(to_interpolation);
        if length == 0 { self.interpolation() } else { self.take(Kind::Text, length) }
    }
}

/// Whether a sign can stand in an identifier, where the parser says so too: a letter with its
/// accent behind it is one word.
fn in_word(sign: char) -> bool {
    unicode_ident::is_xid_continue(sign) || sign == '-'
}
