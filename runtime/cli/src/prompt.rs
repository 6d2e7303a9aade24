//! Questions to the person at the terminal. Nothing is held while waiting, so builds go on showing
//! their lines, and a cancel gets through.

use crate::screen::Screen;
use kiln_host::{Prompt, Question};
use std::future::Future;
use std::io::BufRead;
use std::pin::Pin;
use tokio::sync::Mutex;

/// Why a question cannot be asked, after who wants to ask.
pub(crate) const NOBODY: &str = "needs a terminal to ask at, and output for people";

/// Asks, one question at a time.
pub(crate) struct Questions {
    screen: Screen,
    one: Mutex<()>,
}

impl Questions {
    pub(crate) fn new(screen: Screen) -> Self {
        Self { screen, one: Mutex::new(()) }
    }

    /// The index of the answer; `None` if nobody can answer. With no choices, or one, any line will
    /// do. A choice is given by its number, or by the letter in its brackets: `[c] Clean up`.
    pub(crate) async fn choose(&self, build: &str, text: &str, choices: &[String]) -> Option<usize> {
        if !self.screen.showing.can_ask() {
            return None;
        }
        let _turn = self.one.lock().await;
        let _held = self.screen.hold();
        loop {
            self.screen.say(question(build, text, choices));
            let line = tokio::task::spawn_blocking(line).await.ok()??;
            if let Some(answer) = chosen(line.trim(), choices) {
                return Some(answer);
            }
            self.screen.say(format!("`{}` is none of them.", line.trim()));
        }
    }

    /// Yes or no, before any build runs.
    pub(crate) fn agree(&self, text: &str) -> bool {
        if !self.screen.showing.can_ask() {
            return false;
        }
        self.screen.say(format!("{text} [yes/no]"));
        line().is_some_and(|answer| matches!(answer.trim(), "y" | "yes"))
    }
}

/// Questions of components.
impl Prompt for Questions {
    fn ask(&self, question: Question) -> Pin<Box<dyn Future<Output = Option<usize>> + Send + '_>> {
        Box::pin(async move { self.choose(&question.build, &question.text, &question.choices).await })
    }
}

fn question(build: &str, text: &str, choices: &[String]) -> String {
    let mut out = if build.is_empty() { text.to_owned() } else { format!("==> {build}: {text}") };
    if choices.len() > 1 {
        for (number, choice) in choices.iter().enumerate() {
            out.push_str(&match letter(choice) {
                Some(_) => format!("\n    {choice}"),
                None => format!("\n    [{}] {choice}", number + 1),
            });
        }
    }
    out
}

fn letter(choice: &str) -> Option<char> {
    let (inside, _) = choice.strip_prefix('[')?.split_once(']')?;
    let mut letters = inside.chars();
    letters.next().filter(|_| letters.next().is_none())
}

fn chosen(line: &str, choices: &[String]) -> Option<usize> {
    if choices.len() < 2 {
        return Some(0);
    }
    let number = line.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < choices.len());
    number.or_else(|| {
        let mut letters = line.chars();
        let wanted = letters.next().filter(|_| letters.next().is_none())?;
        choices.iter().position(|choice| letter(choice).is_some_and(|l| l.eq_ignore_ascii_case(&wanted)))
    })
}

/// A line of standard input; `None` at its end.
fn line() -> Option<String> {
    let mut line = String::new();
    let count = std::io::stdin().lock().read_line(&mut line).ok()?;
    (count > 0).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let choices = ["[c] Clean up".to_owned(), "[a] abort".to_owned()];
        assert_eq!(chosen("a", &choices), Some(1));
        assert_eq!(chosen("C", &choices), Some(0));
        assert_eq!(chosen("2", &choices), Some(1));
        assert_eq!(chosen("3", &choices), None);
        assert_eq!(chosen("", &choices), None);
        assert_eq!(chosen("", &[]), Some(0));
        assert_eq!(chosen("2", &["one".into(), "two".into()]), Some(1));
    }
}
