//! `<<-`: the indentation that all lines of a heredoc share is taken away.
//!
//! The rule is that of HCL's own parser, in which markers come first: a line whose start a `~}`
//! took away has no start any more, so it neither counts nor loses anything.

use super::Part;

/// Walks the parts in the order of the text.
struct Walk<'w> {
    /// Whether the next part begins a line.
    line_start: bool,
    /// Called with the text at the start of a line; `None` for anything else there.
    visit: &'w mut dyn FnMut(Option<&mut String>),
}

/// Takes the common indentation away.
pub(super) fn dedent(parts: &mut [Part]) {
    let mut least = usize::MAX;
    walk(parts, &mut |start| {
        let spaces = match start {
            None => 0,
            // Blank lines do not count.
            Some(text) if text.ends_with('\n') && text.trim().is_empty() => usize::MAX,
            Some(text) => indentation(text),
        };
        least = least.min(spaces);
    });
    if least == 0 || least == usize::MAX {
        return;
    }
    walk(parts, &mut |start| {
        if let Some(text) = start.filter(|text| !(text.ends_with('\n') && text.trim().is_empty())) {
            *text = text.chars().skip(least.min(indentation(text))).collect();
        }
    });
}

fn indentation(text: &str) -> usize {
    text.chars().take_while(|c| c.is_whitespace()).count()
}

fn walk(parts: &mut [Part], visit: &mut dyn FnMut(Option<&mut String>)) {
    Walk { line_start: true, visit }.parts(parts);
}

impl Walk<'_> {
    fn other(&mut self) {
        if std::mem::take(&mut self.line_start) {
            (self.visit)(None);
        }
    }

    fn parts(&mut self, parts: &mut [Part]) {
        for part in parts {
            match part {
                Part::Text(text) => {
                    if std::mem::take(&mut self.line_start) {
                        (self.visit)(Some(&mut *text));
                    }
                    self.line_start = text.ends_with('\n');
                }
                Part::Value(_) => self.other(),
                Part::If { then, otherwise, .. } => {
                    self.other();
                    self.parts(then);
                    self.other();
                    self.parts(otherwise);
                    self.other();
                }
                Part::For { body, .. } => {
                    self.other();
                    self.parts(body);
                    self.other();
                }
            }
        }
    }
}
