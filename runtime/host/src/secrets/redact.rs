//! Finding secrets in what is shown or kept, in every form that they take on the way.
//!
//! Main type: [`Redactor`]. Output that comes in pieces is cut where no secret is cut
//! ([`Redactor::certain`]), so that a value split over writes is found as well.

use super::patterns::Patterns;
use super::{Style, quote};
use base64::Engine as _;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What is shown instead.
const MASK: &str = "<sensitive>";
/// Lines of a secret that are shorter are not looked for alone.
const SHORTEST_LINE: usize = 8;
/// Encoded forms of shorter values are too common in other text.
const SHORTEST_ENCODED: usize = 4;

/// All secrets of a run.
#[derive(Debug, Default)]
pub struct Redactor {
    forms: Mutex<BTreeSet<String>>,
    patterns: RwLock<Option<Arc<Patterns>>>,
}

impl Redactor {
    /// Makes `value` a secret from now on, in all its forms.
    pub fn add(&self, value: &str) {
        if value.trim().is_empty() {
            return;
        }
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if forms.contains(value) {
            return;
        }
        forms_of(value, &mut forms);
        if let Some(patterns) = Patterns::new(forms.iter()) {
            *self.patterns.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(patterns));
        }
    }

    /// `text` with every secret replaced by `<sensitive>`.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.patterns() {
            Some(patterns) if patterns.search.is_match(text) => {
                let mut out = String::with_capacity(text.len());
                patterns.search.replace_all_with(text, &mut out, |_, _, dst| {
                    dst.push_str(MASK);
                    true
                });
                Cow::Owned(out)
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// Whether `text` holds a secret.
    pub fn finds(&self, text: &str) -> bool {
        self.patterns().is_some_and(|patterns| patterns.search.is_match(text))
    }

    /// How much of the beginning of `bytes` can be shown before more comes: what follows may be the
    /// beginning of a secret.
    pub fn certain(&self, bytes: &[u8]) -> usize {
        self.patterns().map_or(bytes.len(), |patterns| patterns.certain(bytes))
    }

    fn patterns(&self) -> Option<Arc<Patterns>> {
        self.patterns.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Every form in which a value may come out of a tool, a log or a template.
fn forms_of(value: &str, forms: &mut BTreeSet<String>) {
    let unix = value.replace("\r\n", "\n");
    let variants = [value.to_owned(), unix.clone(), unix.replace('\n', "\r\n"), value.trim().to_owned()];
    let lines = value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE && *line != value);
    for variant in variants.into_iter().chain(lines.map(str::to_owned)) {
        if variant.len() >= SHORTEST_ENCODED {
            encoded(&variant, forms);
        }
        if !variant.is_empty() {
            forms.insert(variant);
        }
    }
}

fn encoded(value: &str, forms: &mut BTreeSet<String>) {
    for style in [Style::Posix, Style::PowerShell, Style::Cmd, Style::Json, Style::Url, Style::Xml] {
        if let Ok(quoted) = quote(value, style) {
            // Without the quotes around it: a tool may put it inside a longer string.
            let bare = quoted.trim_start_matches('^').trim_matches(['\'', '"']).trim_end_matches('^');
            if bare.len() >= SHORTEST_ENCODED {
                forms.insert(bare.to_owned());
            }
        }
    }
    let lower = quote(value, Style::Url).unwrap_or_default();
    forms.insert(lower.replace("%20", "+"));
    forms.insert(lower_hex(&lower));
    // JSON inside JSON, backslash-escaped quotes of shells, and Packer's comma escapes.
    forms.insert(json_inner(&json_inner(value)));
    forms.insert(value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$").replace('`', "\\`"));
    forms.insert(value.replace('"', "`\""));
    forms.insert(value.replace(',', "\\,"));
    forms.insert(value.replace('\'', "''"));
    base64_forms(value.as_bytes(), forms);
    let utf16: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    base64_forms(&utf16, forms);
    let hex = kiln_content::digest::hex(value.as_bytes());
    forms.insert(hex.to_uppercase());
    forms.insert(hex);
}

fn json_inner(value: &str) -> String {
    quote(value, Style::Json).unwrap_or_default().trim_matches('"').to_owned()
}

/// Percent-escapes in lower case; the rest stays.
fn lower_hex(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    let mut escape = 0;
    for c in url.chars() {
        if c == '%' {
            escape = 3;
        }
        out.push(if escape > 0 { c.to_ascii_lowercase() } else { c });
        escape = std::cmp::max(escape, 1) - 1;
    }
    out
}

/// Base64 of the value at each of the three alignments in a longer text: only the digits that
/// depend on nothing but the value.
fn base64_forms(bytes: &[u8], forms: &mut BTreeSet<String>) {
    for engine in [&base64::engine::general_purpose::STANDARD, &base64::engine::general_purpose::URL_SAFE] {
        for before in 0..3 {
            let mut padded = vec![0; before];
            padded.extend_from_slice(bytes);
            let text = engine.encode(&padded);
            let first = [0, 2, 3].get(before).copied().unwrap_or(0);
            let whole_digits = padded.len() * 8 / 6;
            if let Some(inner) = text.get(first..whole_digits)
                && inner.len() >= 2 * SHORTEST_ENCODED
            {
                forms.insert(inner.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: &[&str] = &[
        "hunter2,\"quoted\" 'x' & <y>",
        "pass word%+$`z`",
        "s3cr3t\\n\\",
        "-----BEGIN KEY-----\nabcdefghijkl\nmnopqrstuvwx\n-----END KEY-----",
        "käse€geheim",
    ];

    fn redactor(secret: &str) -> Arc<Redactor> {
        let redactor = Arc::new(Redactor::default());
        redactor.add(secret);
        redactor
    }

    /// None of the transformations that leaked elsewhere leaves the value readable.
    #[test]
    fn every_form_is_found() {
        for secret in SECRETS {
            let redactor = redactor(secret);
            let json = serde_json::to_string(secret).unwrap();
            let b64 =
                |prefix: &str| base64::engine::general_purpose::STANDARD.encode(format!("{prefix}{secret}!"));
            let mut forms = vec![
                secret.to_string(),
                json.clone(),
                serde_json::to_string(&json).unwrap(),
                serde_json::to_string(&[secret]).unwrap(),
                secret.replace(',', "\\,"),
                secret.replace('\n', "\r\n"),
                b64(""),
                b64("u"),
                b64("us"),
                b64("user:"),
            ];
            for style in [
                Style::Posix,
                Style::PowerShell,
                Style::Cmd,
                Style::Json,
                Style::Url,
                Style::Base64,
                Style::Xml,
            ] {
                forms.extend(quote(secret, style).ok());
            }
            for form in forms {
                let text = format!("before {form} after");
                assert!(redactor.finds(&text), "{secret:?} as {form:?}");
                assert!(!redactor.redact(&text).contains(secret), "{form:?}");
            }
        }
    }

    #[test]
    fn values_split_over_writes_are_found_at_every_cut() {
        for secret in SECRETS {
            let redactor = redactor(secret);
            let text = format!("user {secret} and {secret}{secret}.");
            let whole = redactor.redact(&text).into_owned();
            for size in 1..text.len() {
                let (mut out, mut held) = (String::new(), Vec::new());
                for piece in text.as_bytes().chunks(size) {
                    held.extend_from_slice(piece);
                    let rest = held.split_off(redactor.certain(&held));
                    out.push_str(&redactor.redact(str::from_utf8(&held).unwrap()));
                    held = rest;
                }
                out.push_str(&redactor.redact(str::from_utf8(&held).unwrap()));
                assert_eq!(out, whole, "pieces of {size}");
            }
        }
    }

    #[test]
    fn other_text_stays() {
        let redactor = redactor("hunter2");
        assert_eq!(redactor.redact("nothing here"), "nothing here");
        assert_eq!(redactor.redact("a hunter2 b hunter2"), "a <sensitive> b <sensitive>");
        redactor.add(" ");
        assert_eq!(redactor.redact("a b"), "a b");
    }
}
