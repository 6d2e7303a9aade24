//! `secrets` (always; `reveal`: grant): sealed text. Threat: a component that learns a secret can
//! send it anywhere it may reach; so it learns none.

use super::{Authority, Call};
use crate::bindings::kiln::host::secrets::{self, Quoting};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::error::{CallResult, fail};
use crate::secrets::{Style, quote};
use crate::state::State;
use hmac::{Hmac, Mac};
use kiln_plan::grant::{Request, Switch};
use sha2::Sha256;

/// Characters of a random secret unless the guest names others.
const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// The shortest text that a guest makes a secret: it is masked in the output of the whole run, so a
/// letter or a common word would take the user's eyes away.
const SHORTEST: usize = 8;

impl secrets::Host for State {
    async fn quote(&mut self, text: String, style: Quoting) -> CallResult<String> {
        let call = Call::enter(self, "secrets.quote", Authority::Always)?;
        let vault = &self.step.build.vault;
        let plain = vault.unseal(&text);
        let quoted = quote(&plain, style_of(style)).map_err(|why| fail(ErrorCode::Invalid, why));
        let result =
            quoted.and_then(|quoted| if vault.has_sealed(&text) { seal(self, &quoted) } else { Ok(quoted) });
        call.done(result)
    }

    async fn seal(&mut self, text: String) -> CallResult<String> {
        let call = Call::enter(self, "secrets.seal", Authority::Always)?;
        let plain = self.step.build.vault.unseal(&text);
        if plain.trim().chars().count() < SHORTEST {
            let words =
                format!("a secret has at least {SHORTEST} characters: a shorter one occurs in other text");
            return call.done(Err(fail(ErrorCode::Invalid, words)));
        }
        call.done(seal(self, &plain))
    }

    async fn random(&mut self, length: u32, alphabet: String) -> CallResult<String> {
        let call = Call::enter(self, "secrets.random", Authority::Always)?;
        let result = random(length, &alphabet).and_then(|text| seal(self, &text));
        call.done(result)
    }

    async fn hmac_sha256(&mut self, key: String, message: Vec<u8>) -> CallResult<String> {
        let call = Call::enter(self, "secrets.hmac-sha256", Authority::Always)?;
        let key = self.step.build.vault.unseal(&key);
        let result = Hmac::<Sha256>::new_from_slice(key.as_bytes())
            .map(|mut mac| {
                mac.update(&message);
                kiln_content::digest::hex(&mac.finalize().into_bytes())
            })
            .map_err(|_| fail(ErrorCode::Invalid, "the key cannot be used"));
        call.done(result)
    }

    async fn aws_sigv4_key(&mut self, _: String, _: String, _: String, _: String) -> CallResult<String> {
        let call = Call::enter(self, "secrets.aws-sigv4-key", Authority::Always)?;
        call.done(Err(fail(
            ErrorCode::Unsupported,
            "signing keys of AWS come with the builders of that cloud",
        )))
    }

    async fn reveal(&mut self, text: String) -> CallResult<String> {
        let reveal = Authority::Granted(Request::Switch(Switch::Reveal));
        let call = Call::enter(self, "secrets.reveal", reveal)?;
        tracing::info!(component = %self.step.component, "a component read a secret, as granted");
        call.done(Ok(self.step.build.vault.unseal(&text)))
    }
}

fn seal(state: &State, text: &str) -> CallResult<String> {
    state
        .step
        .build
        .vault
        .seal(text)
        .ok_or_else(|| fail(ErrorCode::Limit, "the build has more than 100,000 secrets"))
}

fn style_of(style: Quoting) -> Style {
    match style {
        Quoting::Posix => Style::Posix,
        Quoting::Powershell => Style::PowerShell,
        Quoting::Cmd => Style::Cmd,
        Quoting::Json => Style::Json,
        Quoting::Url => Style::Url,
        Quoting::Base64 => Style::Base64,
        Quoting::Xml => Style::Xml,
    }
}

/// Uniform over the alphabet: draws that would favour its first characters are thrown away.
fn random(length: u32, alphabet: &str) -> CallResult<String> {
    if !(8..=256).contains(&length) {
        return Err(fail(ErrorCode::Invalid, "a random secret has 8 to 256 characters"));
    }
    let letters: Vec<char> =
        if alphabet.is_empty() { ALPHABET } else { alphabet }.chars().take(257).collect();
    if !(2..=256).contains(&letters.len()) {
        return Err(fail(ErrorCode::Invalid, "an alphabet has 2 to 256 characters"));
    }
    let fair = 256 - 256 % letters.len();
    let mut text = String::new();
    let mut count = 0;
    while count < length {
        let mut draws = [0u8; 64];
        getrandom::fill(&mut draws)
            .map_err(|_| fail(ErrorCode::Failed, "the system gives no random numbers"))?;
        for draw in draws.into_iter().map(usize::from).filter(|draw| *draw < fair) {
            if count < length {
                text.extend(letters.get(draw % letters.len()));
                count += 1;
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_secrets_use_the_whole_alphabet() {
        let text = random(256, "ab").unwrap();
        assert_eq!(text.len(), 256);
        assert!(text.contains('a') && text.contains('b') && text.chars().all(|c| "ab".contains(c)));
        assert_ne!(random(32, "").unwrap(), random(32, "").unwrap());
        for (length, alphabet) in [(7, ""), (257, ""), (8, "a")] {
            assert!(random(length, alphabet).is_err(), "{length} {alphabet}");
        }
    }
}
