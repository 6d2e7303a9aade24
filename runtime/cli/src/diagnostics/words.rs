//! Text for people: without what could act on a terminal, and in lines that fit.

use unicode_width::UnicodeWidthStr;

/// Whether a character could act on a terminal or reorder what stands beside it.
pub(super) fn is_hostile(c: char) -> bool {
    let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders || matches!(c, '\u{2028}' | '\u{2029}')
}

/// At most `longest` characters, line ends and tabs kept, other control characters replaced.
pub(super) fn clean(text: &str, longest: usize) -> String {
    let shown = |c: char| if is_hostile(c) && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    let mut out: String = text.chars().take(longest).map(shown).collect();
    if text.chars().nth(longest).is_some() {
        out.push('…');
    }
    out
}

/// Lines of at most `width` columns where words allow it; line ends stay.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            } else if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}
