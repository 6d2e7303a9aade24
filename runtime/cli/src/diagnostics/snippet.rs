//! The lines of a place, cut to what fits, and the columns of the marks below them.

use super::words::is_hostile;
use kiln_plan::{SourceMap, Span};
use unicode_width::UnicodeWidthChar;

/// The widest line that is quoted, in columns; longer ones are cut around the mark.
const WIDEST: usize = 120;
/// The most lines of one place; the middle of longer ones is left out.
const MOST: usize = 5;
const TAB: usize = 4;

/// A line of a place.
pub(super) enum Line {
    Source {
        number: usize,
        text: String,
        /// Columns before the mark.
        before: usize,
        /// Columns of the mark, at least one.
        marked: usize,
    },
    /// Lines are left out before this one.
    Gap { number: usize },
}

impl Line {
    pub(super) fn number(&self) -> usize {
        match self {
            Self::Source { number, .. } | Self::Gap { number } => *number,
        }
    }
}

/// The lines of a place, with what of them belongs to it.
pub(super) fn lines(sources: &SourceMap, span: Span) -> Vec<Line> {
    let text = sources.text(span.file);
    let (first, _) = sources.position(span);
    let start = (span.start as usize).min(text.len());
    let end = (span.end as usize).clamp(start, text.len());
    let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let mut all = Vec::new();
    let mut at = line_start;
    for (number, line) in (first..).zip(text.get(line_start..).unwrap_or("").split('\n')) {
        let marks = start.saturating_sub(at)..end.saturating_sub(at).min(line.len());
        // Indentation is no part of the expression.
        let indent = line.len() - line.trim_start().len();
        let from = if number == first { marks.start } else { marks.start.max(indent) };
        if number == first || marks.end > from {
            all.push(source(number, line.trim_end_matches('\r'), from, marks.end.max(from)));
        }
        at += line.len() + 1;
        if at >= end.max(start + 1) {
            break;
        }
    }
    if all.len() > MOST {
        let last = all.len() - 2;
        let gap = all.get(last).map_or(first, Line::number);
        all.drain(MOST - 2..last + 1);
        all.insert(MOST - 2, Line::Gap { number: gap });
    }
    all
}

/// One line with bytes `from..to` marked.
fn source(number: usize, line: &str, from: usize, to: usize) -> Line {
    // What each character is shown as, and its columns.
    let (mut before, mut marked) = (0, 0);
    let mut cells: Vec<(char, usize)> = Vec::new();
    for (at, c) in line.char_indices() {
        let (c, width) = match c {
            '\t' => (' ', TAB),
            c if is_hostile(c) => ('\u{fffd}', 1),
            c => (c, c.width().unwrap_or(1)),
        };
        if at < from {
            before += width;
        } else if at < to {
            marked += width;
        }
        cells.push((c, width));
    }
    let total: usize = cells.iter().map(|(_, width)| width).sum();
    let skip = if total > WIDEST { before.saturating_sub(WIDEST / 3) } else { 0 };
    let mut text = String::new();
    let (mut column, mut shown, mut dropped) = (0, 0, 0);
    for (c, width) in cells {
        let fits = shown + width <= WIDEST;
        if column < skip {
            dropped += width;
        } else if fits {
            text.extend(std::iter::repeat_n(c, if c == ' ' { width } else { 1 }));
            shown += width;
        }
        column += width;
    }
    let mut before = before - dropped.min(before);
    if dropped > 0 {
        text.insert(0, '…');
        before += 1;
    }
    if dropped + shown < total {
        text.push('…');
    }
    let room = (WIDEST + 1).saturating_sub(before).max(1);
    Line::Source { number, text: text.trim_end().to_owned(), before, marked: marked.clamp(1, room) }
}
