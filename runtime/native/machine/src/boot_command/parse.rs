//! The grammar, as a hand-written scanner: at `<` the longest thing that matters is tried first (wait,
//! then a held character, then a named key); if none fits, `<` is an ordinary character.

use super::{Input, LONGEST_WAIT, keys};
use std::time::Duration;

/// What is wrong with a boot command, and where (bytes from its start).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BootCommandError {
    /// `<wait0>` and the like.
    #[error("boot command, byte {offset}: a wait must be longer than nothing")]
    WaitNotPositive {
        /// Where the `<` stands.
        offset: usize,
    },
    /// The waits add up to more than a day.
    #[error("boot command, byte {offset}: the waits add up to more than a day")]
    WaitTooLong {
        /// Where the `<` stands.
        offset: usize,
    },
    /// Not on a US keyboard.
    #[error("boot command, byte {offset}: no key of a US keyboard types `{character}`")]
    NoKey {
        /// Where it stands.
        offset: usize,
        /// It.
        character: char,
    },
}

pub(super) fn parse(text: &str) -> Result<Vec<Input>, BootCommandError> {
    let mut inputs = Vec::new();
    let mut total = Duration::ZERO;
    let mut offset = 0;
    while let Some(rest) = text.get(offset..).filter(|rest| !rest.is_empty()) {
        if let Some((length, wait)) = wait(rest) {
            let time = wait.ok_or(BootCommandError::WaitNotPositive { offset })?;
            total = total.saturating_add(time);
            if total > LONGEST_WAIT {
                return Err(BootCommandError::WaitTooLong { offset });
            }
            inputs.push(Input::Wait(time));
            offset += length;
        } else if let Some((length, found)) = held_character(rest).or_else(|| special(rest)) {
            inputs.extend(found);
            offset += length;
        } else {
            let Some(character) = rest.chars().next() else { break };
            let (code, shift) =
                keys::of_character(character).ok_or(BootCommandError::NoKey { offset, character })?;
            if shift {
                inputs.push(Input::Key { code: "shift", down: true });
            }
            inputs.extend(press(code));
            if shift {
                inputs.push(Input::Key { code: "shift", down: false });
            }
            offset += character.len_utf8();
        }
    }
    Ok(inputs)
}

fn press(code: &'static str) -> [Input; 2] {
    [Input::Key { code, down: true }, Input::Key { code, down: false }]
}

/// `<wait>`, `<wait5>`, `<wait1m20s>`: its length and the time, which is none if it is not positive.
fn wait(text: &str) -> Option<(usize, Option<Duration>)> {
    let body = text.strip_prefix("<wait")?;
    let end = body.find('>').filter(|end| *end <= 64)?;
    let value = body.get(..end)?;
    let length = "<wait".len() + end + 1;
    if value.is_empty() {
        return Some((length, Some(Duration::from_secs(1))));
    }
    let positive = |time: Duration| Some(time).filter(|time| !time.is_zero());
    if let Some(digits) = value.strip_prefix(['-', '+']).or(Some(value))
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.is_empty()
    {
        let seconds = digits.parse().unwrap_or(u64::MAX);
        let time = if value.starts_with('-') { None } else { positive(Duration::from_secs(seconds)) };
        return Some((length, time));
    }
    let (negative, units) = match value.strip_prefix('-') {
        Some(units) => (true, units),
        None => (false, value.strip_prefix('+').unwrap_or(value)),
    };
    let time = duration(units)?;
    Some((length, if negative { None } else { positive(time) }))
}

/// Numbers with units, `1m20.5s`; nothing if it is not that.
fn duration(mut text: &str) -> Option<Duration> {
    let mut sum = Duration::ZERO;
    while !text.is_empty() {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, rest) = text.split_at_checked(digits)?;
        let number: f64 = number.parse().ok()?;
        let (unit, after) = UNITS
            .iter()
            .find_map(|(name, seconds)| rest.strip_prefix(name).map(|after| (*seconds, after)))?;
        sum = sum.saturating_add(Duration::try_from_secs_f64(number * unit).unwrap_or(Duration::MAX));
        text = after;
    }
    Some(sum)
}

/// Longer names first: `ms` is not `m` followed by `s`.
const UNITS: &[(&str, f64)] = &[
    ("ns", 1e-9),
    ("us", 1e-6),
    ("\u{b5}s", 1e-6),
    ("\u{3bc}s", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("h", 3600.0),
];

/// `<aOn>`, `<aOff>`: one character, held or let go. Shift goes with it if the character needs it.
fn held_character(text: &str) -> Option<(usize, Vec<Input>)> {
    let body = text.strip_prefix('<')?;
    let character = body.chars().next()?;
    let rest = body.get(character.len_utf8()..)?;
    let (code, shift) = keys::of_character(character)?;
    let (down, word) = on_or_off(rest)?;
    let key = Input::Key { code, down };
    let shift = shift.then_some(Input::Key { code: "shift", down });
    let inputs = if down {
        shift.into_iter().chain([key]).collect()
    } else {
        [key].into_iter().chain(shift).collect()
    };
    Some((1 + character.len_utf8() + word, inputs))
}

/// `on>` or `off>` in any case at the start: which, and its length.
fn on_or_off(text: &str) -> Option<(bool, usize)> {
    let starts = |word: &str| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    if starts("on>") {
        Some((true, 3))
    } else if starts("off>") {
        Some((false, 4))
    } else {
        None
    }
}

/// `<enter>`, `<leftShiftOn>`, `<leftShiftOff>`.
fn special(text: &str) -> Option<(usize, Vec<Input>)> {
    let body = text.strip_prefix('<')?;
    let end = body.find('>').filter(|end| *end <= keys::LONGEST_NAME + 3)?;
    let name = body.get(..end)?;
    let length = end + 2;
    if let Some(code) = keys::named(name) {
        return Some((length, press(code).to_vec()));
    }
    let lower = name.to_ascii_lowercase();
    let (stem, down) = match lower.strip_suffix("on") {
        Some(stem) => (stem, true),
        None => (lower.strip_suffix("off")?, false),
    };
    Some((length, vec![Input::Key { code: keys::named(stem)?, down }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let shown = |input: &Input| match input {
            Input::Wait(time) => format!("{}ms", time.as_millis()),
            Input::Key { code, down } => format!("{}{code}", if *down { '+' } else { '-' }),
        };
        parse(text).unwrap().iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_form_of_the_grammar() {
        for (text, expected) in [
            ("a", "+a -a"),
            ("A", "+shift +a -a -shift"),
            ("?", "+shift +slash -slash -shift"),
            ("<enter><RETURN>", "+ret -ret +ret -ret"),
            ("<wait>", "1000ms"),
            ("<wait5>", "5000ms"),
            ("<wait1m20s>", "80000ms"),
            ("<wait1.5s>", "1500ms"),
            ("<wait10ms>", "10ms"),
            ("<aOn>b<aOff>", "+a +b -b -a"),
            ("<leftShiftOn>a<leftShiftOff>", "+shift +a -a -shift"),
            ("<LEFTCTRLON>c<leftctrloff>", "+ctrl +c -c -ctrl"),
            ("<f12>", "+f12 -f12"),
            ("<<", "+shift +comma -comma -shift +shift +comma -comma -shift"),
            ("<no>", "+shift +comma -comma -shift +n -n +o -o +shift +dot -dot -shift"),
            (
                "<WAIT>",
                "+shift +comma -comma -shift +shift +w -w -shift +shift +a -a -shift \
                        +shift +i -i -shift +shift +t -t -shift +shift +dot -dot -shift",
            ),
            ("<waitx", "+shift +comma -comma -shift +w -w +a -a +i -i +t -t +x -x"),
        ] {
            assert_eq!(written(text), expected, "{text}");
        }
    }

    #[test]
    fn trap_40_wait_is_lower_case_keys_are_not_and_other_tags_are_typed() {
        assert_eq!(written("<ENTER>"), written("<enter>"));
        assert_eq!(written("<wait>"), "1000ms");
        assert!(written("<Wait>").starts_with("+shift +comma"));
        assert!(written("<nokey>").starts_with("+shift +comma -comma -shift +n"));
        assert!(parse("<wait0>").is_err());
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(parse("ab<wait0>"), Err(BootCommandError::WaitNotPositive { offset: 2 }));
        assert_eq!(parse("<wait-1s>"), Err(BootCommandError::WaitNotPositive { offset: 0 }));
        assert_eq!(parse("<wait23h><wait2h>"), Err(BootCommandError::WaitTooLong { offset: 9 }));
        assert_eq!(parse("<wait99999999999999999999>"), Err(BootCommandError::WaitTooLong { offset: 0 }));
        assert_eq!(parse("aé"), Err(BootCommandError::NoKey { offset: 1, character: 'é' }));
    }

    #[test]
    fn every_printable_ascii_character_has_a_key() {
        for character in ' '..='~' {
            assert!(keys::of_character(character).is_some(), "{character}");
        }
    }
}
