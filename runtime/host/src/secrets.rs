//! Secrets: sealed text for guests, redaction for everything that is shown or kept.
//!
//! A guest holds a secret as a random token inside an ordinary string ([`Vault::seal`]); sinks put
//! the value in place ([`Vault::unseal`]). The [`Redactor`] knows every value that was ever sealed
//! in the run, in all the forms that it is likely to take on the way (quoted, escaped, encoded),
//! and replaces each by `<sensitive>`.
//!
//! Invariant: a value is known to the redactor before its token exists.

mod patterns;
mod quote;
mod redact;

pub(crate) use patterns::Replacing;
pub(crate) use quote::{Style, quote};
pub use redact::Redactor;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How a token begins: characters that no quoting changes.
const PREFIX: &str = "KILNSEALED";
/// Random hexadecimal digits after it.
const DIGITS: usize = 32;
/// The most secrets of one build.
const MAX_SECRETS: usize = 100_000;

/// The sealed secrets of one build.
#[derive(Debug)]
pub(crate) struct Vault {
    redactor: Arc<Redactor>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_token: HashMap<String, Arc<str>>,
    by_value: HashMap<Arc<str>, String>,
}

/// Never shows what it holds.
impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} secrets", self.by_token.len())
    }
}

impl Vault {
    pub(crate) fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor, known: Mutex::default() }
    }

    /// The token of `value`; the same for the same value. The empty string is no secret. `None`
    /// when there are too many.
    pub(crate) fn seal(&self, value: &str) -> Option<String> {
        if value.is_empty() {
            return Some(String::new());
        }
        self.redactor.add(value);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = known.by_value.get(value) {
            return Some(token.clone());
        }
        if known.by_token.len() >= MAX_SECRETS {
            return None;
        }
        let token = format!("{PREFIX}{}", random_hex(DIGITS / 2));
        let value: Arc<str> = value.into();
        known.by_token.insert(token.clone(), value.clone());
        known.by_value.insert(value, token.clone());
        Some(token)
    }

    /// `text` with each secret that it contains replaced by its token: longest first, so that a
    /// secret inside another does not tear it.
    pub(crate) fn seal_within(&self, text: &str) -> String {
        let mut values: Vec<(Arc<str>, String)> = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known
                .by_value
                .iter()
                .filter(|(value, _)| text.contains(&***value))
                .map(|(value, token)| (value.clone(), token.clone()))
                .collect()
        };
        values.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
        let mut out = text.to_owned();
        for (value, token) in values {
            out = replace_outside_tokens(&out, &value, &token);
        }
        out
    }

    /// Whether `text` has a token in it.
    pub(crate) fn has_sealed(&self, text: &str) -> bool {
        self.tokens(text).next().is_some()
    }

    /// `text` with each token replaced by its value. Tokens of other builds stay as they are.
    pub(crate) fn unseal(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (at, token, value) in self.tokens(text) {
            out.push_str(text.get(from..at).unwrap_or(""));
            out.push_str(&value);
            from = at + token;
        }
        out.push_str(text.get(from..).unwrap_or(""));
        out
    }

    /// The same for bytes that need not be text.
    pub(crate) fn unseal_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        match str::from_utf8(&bytes) {
            Ok(text) if !self.has_sealed(text) => return bytes,
            Ok(text) => return self.unseal(text).into_bytes(),
            Err(_) => {}
        }
        let mut replacing = Replacing::new(self.pairs());
        let mut out = replacing.push(&bytes);
        out.extend(replacing.finish());
        out
    }

    /// The place, length and value of each token in `text`.
    fn tokens<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize, Arc<str>)> + 'a {
        text.match_indices(PREFIX).filter_map(move |(at, _)| {
            let token = text.get(at..at + PREFIX.len() + DIGITS)?;
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.by_token.get(token).map(|value| (at, token.len(), value.clone()))
        })
    }

    /// Every token with its value.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.by_token.iter().map(|(token, value)| (token.clone(), value.to_string())).collect()
    }

    /// The redactor of the run.
    pub(crate) fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }
}

/// Replaces `value` by `token`, but not inside tokens that are there already (a short secret may
/// consist of hexadecimal digits).
fn replace_outside_tokens(text: &str, value: &str, token: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let end = at + PREFIX.len() + DIGITS;
        let is_token = rest
            .get(at + PREFIX.len()..end)
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let cut = if is_token { at } else { at + PREFIX.len() };
        out.push_str(&rest.get(..cut).unwrap_or("").replace(value, token));
        let after = if is_token { end } else { cut };
        out.push_str(rest.get(cut..after).unwrap_or(""));
        rest = rest.get(after..).unwrap_or("");
    }
    out.push_str(&rest.replace(value, token));
    out
}

/// `bytes` random bytes as hexadecimal digits.
pub(crate) fn random_hex(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    if getrandom::fill(&mut random).is_err() {
        // A system without randomness cannot keep secrets; a fixed token would be worse than none.
        tracing::error!("the system gives no random numbers");
        std::process::abort();
    }
    kiln_content::digest::hex(&random)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(Arc::new(Redactor::default()))
    }

    #[test]
    fn sealed_text_goes_out_as_it_was() {
        let vault = vault();
        let token = vault.seal("p'w\"$(x)").unwrap();
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric()), "{token}");
        assert_eq!(vault.seal("p'w\"$(x)").unwrap(), token);
        let line = format!("login {token}{token} KILNSEALED KILNSEALED00");
        assert_eq!(vault.unseal(&line), "login p'w\"$(x)p'w\"$(x) KILNSEALED KILNSEALED00");
        assert!(vault.has_sealed(&line) && !vault.has_sealed("KILNSEALED"));
    }

    #[test]
    fn secrets_inside_text_are_sealed_longest_first() {
        let vault = vault();
        // The first two have letters that a token's random digits cannot have.
        for secret in ["xyz", "xyzabc", "e", "0", "KILN"] {
            vault.seal(secret).unwrap();
        }
        for text in ["w xyzabc y xyz v 0e", "KILN", "KILNSEALED", "nothing", "xyzxyzabcxyz"] {
            let sealed = vault.seal_within(text);
            assert_eq!(vault.unseal(&sealed), text, "{sealed}");
            assert!(!sealed.contains("xyz"), "{sealed}");
        }
    }

    #[test]
    fn tokens_of_another_build_stay() {
        let (a, b) = (vault(), vault());
        let token = a.seal("secret").unwrap();
        assert_eq!(b.unseal(&token), token);
    }
}
