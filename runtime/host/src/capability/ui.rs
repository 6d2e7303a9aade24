//! `ui` (always): what the user sees. Threat: floods, terminal escapes, commands for CI systems,
//! secrets in messages; see [`crate::show`] and [`crate::state::StepCtx::show`].

use super::{Authority, Call};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::bindings::kiln::host::ui::{self, Level, Proceed};
use crate::error::{CallResult, fail};
use crate::run::Question;
use crate::state::State;
use kiln_plan::{EventBody, Progress};
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime::component::Resource;

/// The longest wait of one call.
const MAX_SLEEP: Duration = Duration::from_secs(30 * 24 * 3600);
/// Progress is shown at most so often.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);
/// The most answers of a question.
const MAX_CHOICES: usize = 20;

/// A bar of a guest's own.
#[derive(Debug)]
pub struct ProgressHandle {
    id: u64,
    title: Arc<str>,
    total: Option<u64>,
    done: u64,
    shown: Option<Instant>,
}

impl ProgressHandle {
    fn event(&self, finished: bool) -> EventBody {
        EventBody::Progress(Progress {
            id: self.id,
            title: self.title.clone(),
            done: self.done,
            total: self.total,
            finished,
        })
    }
}

impl ui::Host for State {
    async fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let _call = Call::always(self, "ui.log")?;
        self.step.show(&message, |text| match level {
            Level::Debug => EventBody::Log { level: "debug".into(), text },
            Level::Info => EventBody::Log { level: "info".into(), text },
            Level::Warning => EventBody::Warning { text },
            Level::Error => EventBody::Error { text },
        });
        Ok(())
    }

    async fn say(&mut self, message: String) -> wasmtime::Result<()> {
        let _call = Call::always(self, "ui.say")?;
        self.step.show(&message, |text| EventBody::Say { text });
        Ok(())
    }

    async fn sleep(&mut self, milliseconds: u64) -> CallResult<()> {
        let call = Call::enter(self, "ui.sleep", Authority::Always)?;
        let result = call
            .wait(async {
                tokio::time::sleep(Duration::from_millis(milliseconds).min(MAX_SLEEP)).await;
                Ok(())
            })
            .await;
        call.done(result)
    }

    async fn cancelled(&mut self) -> wasmtime::Result<bool> {
        let _call = Call::always(self, "ui.cancelled")?;
        Ok(self.cancel.is_cancelled())
    }

    async fn step(&mut self, title: String) -> CallResult<Proceed> {
        let mut call = Call::enter(self, "ui.step", Authority::Always)?;
        call.target(title.clone());
        let title = self.step.shown(&title);
        self.step.emit(EventBody::Log { level: "info".into(), text: title.clone() });
        if !self.step.build.run.options.debug {
            return call.done(Ok(Proceed::Continue));
        }
        // Nobody there to answer is no reason to stop: the pause is a courtesy.
        let question = self.question(title, vec!["continue".to_owned()]);
        let result = call.wait(async { Ok(self.step.build.run.options.prompt.ask(question).await) }).await;
        call.done(result.map(|_| Proceed::Continue))
    }

    async fn choose(&mut self, question: String, choices: Vec<String>) -> CallResult<u32> {
        let call = Call::enter(self, "ui.choose", Authority::Always)?;
        if choices.is_empty() || choices.len() > MAX_CHOICES {
            return call.done(Err(fail(ErrorCode::Invalid, "a question has 1 to 20 choices")));
        }
        let choices: Vec<String> = choices.iter().map(|choice| self.step.shown(choice)).collect();
        let count = choices.len();
        let question = self.question(self.step.shown(&question), choices);
        let answer = call.wait(async { Ok(self.step.build.run.options.prompt.ask(question).await) }).await;
        call.done(answer.and_then(|answer| match answer {
            Some(index) if index < count => Ok(u32::try_from(index).unwrap_or(0)),
            _ => Err(fail(ErrorCode::Unsupported, "nobody can answer here")),
        }))
    }
}

impl State {
    fn question(&self, text: String, choices: Vec<String>) -> Question {
        Question { build: self.step.build.name().to_owned(), text, choices }
    }
}

impl ui::HostProgress for State {
    async fn new(&mut self, title: String, total: u64) -> wasmtime::Result<Resource<ProgressHandle>> {
        let _call = Call::always(self, "ui.[constructor]progress")?;
        let title = self.step.shown(&title).replace('\n', " ").into();
        let id = self.step.build.run.next_id();
        Ok(self.table.push(ProgressHandle {
            id,
            title,
            total: (total > 0).then_some(total),
            done: 0,
            shown: None,
        })?)
    }

    async fn set(&mut self, progress: Resource<ProgressHandle>, done: u64) -> wasmtime::Result<()> {
        let _call = Call::always(self, "ui.[method]progress.set")?;
        let bar = self.table.get_mut(&progress)?;
        bar.done = done;
        if bar.shown.is_none_or(|shown| shown.elapsed() >= PROGRESS_EVERY) {
            bar.shown = Some(Instant::now());
            let event = bar.event(false);
            self.step.emit(event);
        }
        Ok(())
    }

    async fn drop(&mut self, progress: Resource<ProgressHandle>) -> wasmtime::Result<()> {
        let bar = self.table.delete(progress)?;
        self.step.emit(bar.event(true));
        Ok(())
    }
}
