//! JSON with the place of every value, numbers as they are written.

use kiln_plan::code::template as code;
use kiln_plan::{Diagnostic, FileId, Span};

/// The deepest nesting.
const MAX_DEPTH: usize = 64;

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) content: Content,
    pub(crate) span: Span,
}

/// The content of an [`Item`].
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Item>),
    Object(Vec<Entry>),
}

/// Name, its place, value.
pub(crate) type Entry = (String, Span, Item);

type Read<T> = Result<T, Box<Diagnostic>>;

struct Reader<'t> {
    text: &'t str,
    at: usize,
    file: FileId,
    /// Whether a name may occur twice, the last one counting.
    repeats: bool,
}

/// Reads one value and nothing behind it. A name may occur twice in an object only if `repeats`.
pub(crate) fn read(text: &str, file: FileId, repeats: bool) -> Read<Item> {
    let mut reader = Reader { text, at: 0, file, repeats };
    let item = reader.value(0)?;
    reader.space();
    if reader.rest().is_empty() { Ok(item) } else { Err(reader.wrong("nothing is expected here")) }
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }

    fn span(&self, start: usize) -> Span {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { file: self.file, start: at(start), end: at(self.at) }
    }

    fn wrong(&self, what: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(code::SYNTAX, format!("syntax error: {what}")).at(self.span(self.at)))
    }

    fn take(&mut self, sign: char) -> bool {
        self.space();
        let found = self.rest().starts_with(sign);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Read<Item> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("nested too deep"));
        }
        self.space();
        let start = self.at;
        let content = match self.rest().chars().next() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Content::Text(self.text()?),
            Some('-' | '0'..='9') => {
                let rest = self.rest();
                let end =
                    rest.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(rest.len());
                let number = rest.get(..end).unwrap_or("");
                if !is_number(number) {
                    return Err(self.wrong("this is not a number as JSON writes it"));
                }
                self.at += end;
                Content::Number(number.to_owned())
            }
            _ => {
                let words =
                    [("null", Content::Null), ("true", Content::Bool(true)), ("false", Content::Bool(false))];
                let rest = self.rest();
                let found = words.into_iter().find(|(word, _)| rest.starts_with(word));
                let (word, content) = found.ok_or_else(|| self.wrong("a JSON value is expected here"))?;
                self.at += word.len();
                content
            }
        };
        Ok(Item { content, span: self.span(start) })
    }

    fn text(&mut self) -> Read<String> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
        match values.next() {
            Some(Ok(text)) => {
                self.at += values.byte_offset();
                Ok(text)
            }
            _ => Err(self.wrong("this string does not end or has a wrong escape")),
        }
    }

    fn list(&mut self, depth: usize) -> Read<Content> {
        self.at += 1;
        let mut items = Vec::new();
        if self.take(']') {
            return Ok(Content::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.take(']') {
                return Ok(Content::List(items));
            }
            if !self.take(',') {
                return Err(self.wrong("`,` or `]` is expected here"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Read<Content> {
        self.at += 1;
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        if self.take('}') {
            return Ok(Content::Object(entries));
        }
        loop {
            self.space();
            let start = self.at;
            if !self.rest().starts_with('"') {
                return Err(self.wrong("a name in quotes is expected here"));
            }
            let name = self.text()?;
            let span = self.span(start);
            if name != "//" && !seen.insert(name.clone()) && !self.repeats {
                return Err(Box::new(
                    Diagnostic::error(code::DUPLICATE, format!("\"{name}\" occurs twice")).at(span),
                ));
            }
            if !self.take(':') {
                return Err(self.wrong("`:` is expected here"));
            }
            entries.push((name, span, self.value(depth + 1)?));
            if self.take('}') {
                return Ok(Content::Object(entries));
            }
            if !self.take(',') {
                return Err(self.wrong("`,` or `}` is expected here"));
            }
        }
    }
}

/// Whether digits lead, follow the point and follow the `e`, without zeros in front.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && digits(fraction)
        && digits(power.strip_prefix(['+', '-']).unwrap_or(power))
}
