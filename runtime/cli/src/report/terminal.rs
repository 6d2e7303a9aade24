//! A terminal: Packer's lines scroll, and below them each build that runs has a live lane with its
//! present step, the time it has taken and how far its transfer is.

use super::lines::{Item, Script, paint};
use super::{Reporter, duration};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use kiln_plan::{Event, EventBody, Kind, Progress};
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The most lanes at once. Lines must stay visible above them; further builds are counted.
const MOST: usize = 10;
/// How often a lane moves. Slow enough not to flicker over a slow connection.
const TICK: Duration = Duration::from_millis(200);
/// How often the terminal is written to for the lanes, per second.
const RATE: u8 = 10;

/// Lines and lanes, on the terminal.
pub(crate) struct Terminal {
    bars: MultiProgress,
    /// Builds that run, in the order in which they began.
    lanes: Vec<Lane>,
    /// How many builds run without a lane.
    rest: Option<ProgressBar>,
    script: Script,
    colour: bool,
    held: bool,
}

/// One build.
struct Lane {
    build: Arc<str>,
    began: Instant,
    /// None while there is no room.
    bar: Option<ProgressBar>,
    step: String,
    progress: Option<Progress>,
}

impl Terminal {
    /// `colour` is false under NO_COLOR.
    pub(crate) fn new(colour: bool) -> Self {
        let bars = MultiProgress::with_draw_target(target());
        Self { bars, lanes: Vec::new(), rest: None, script: Script::default(), colour, held: false }
    }

    fn lane(&mut self, build: &Arc<str>) -> Option<&mut Lane> {
        if !self.lanes.iter().any(|lane| lane.build == *build) {
            let (build, began) = (Arc::clone(build), Instant::now());
            self.lanes.push(Lane { build, began, bar: None, step: String::new(), progress: None });
            self.arrange();
        }
        self.lanes.iter_mut().find(|lane| lane.build == *build)
    }

    /// Gives lanes to the first builds that run, and counts the others.
    fn arrange(&mut self) {
        for lane in self.lanes.iter_mut().take(MOST).filter(|lane| lane.bar.is_none()) {
            let bar = ProgressBar::new_spinner().with_elapsed(lane.began.elapsed());
            let bar = match &self.rest {
                Some(rest) => self.bars.insert_before(rest, bar),
                None => self.bars.add(bar),
            };
            bar.set_style(style());
            bar.set_prefix(lane.build.to_string());
            lane.bar = Some(bar);
            lane.show();
            lane.tick();
        }
        let more = self.lanes.len().saturating_sub(MOST);
        if more == 0 {
            self.rest.take().iter().for_each(ProgressBar::finish_and_clear);
            return;
        }
        let rest = self.rest.get_or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::no_length());
            bar.set_style(ProgressStyle::with_template("  {msg}").unwrap_or_else(|_| style()));
            bar
        });
        rest.set_message(format!("… and {more} more"));
    }

    fn update(&mut self, event: &Event) {
        let Some(build) = &event.build else {
            if matches!(event.body, EventBody::RunFinished { .. }) {
                self.lanes.drain(..).for_each(Lane::end);
                self.arrange();
            }
            return;
        };
        match &event.body {
            EventBody::BuildFinished { .. } => {
                if let Some(at) = self.lanes.iter().position(|lane| lane.build == *build) {
                    self.lanes.remove(at).end();
                    self.arrange();
                }
            }
            EventBody::BuildStarted => {
                self.lane(build);
            }
            EventBody::StepStarted { phase } => {
                let title = event.step.as_ref().map_or_else(
                    || phase.to_string(),
                    |step| step.label.clone().unwrap_or_else(|| format!("{phase} {}", step.component.name)),
                );
                if let Some(lane) = self.lane(build) {
                    (lane.step, lane.progress) = (title, None);
                    lane.show();
                }
            }
            EventBody::Say { text } if is_builder(event) => {
                // A builder says what it does now: retrieving, booting, waiting, converting.
                if let (Some(lane), Some(line)) = (self.lane(build), text.lines().next()) {
                    line.clone_into(&mut lane.step);
                    lane.show();
                }
            }
            EventBody::Progress(progress) => {
                if let Some(lane) = self.lane(build) {
                    lane.progress = (!progress.finished).then(|| progress.clone());
                    lane.show();
                }
            }
            _ => {}
        }
    }
}

fn is_builder(event: &Event) -> bool {
    event.step.as_ref().is_some_and(|step| step.component.kind == Kind::Builder)
}

fn target() -> ProgressDrawTarget {
    ProgressDrawTarget::stdout_with_hz(RATE)
}

impl Lane {
    fn show(&self) {
        let Some(bar) = &self.bar else { return };
        let text = self
            .progress
            .as_ref()
            .map_or_else(|| self.step.clone(), |p| format!("{}: {}", self.step, amount(p)));
        bar.set_message(text);
    }

    /// Moves by itself from now on.
    fn tick(&self) {
        self.bar.iter().for_each(|bar| bar.enable_steady_tick(TICK));
    }

    /// Moves no more; the thread that moved it has ended when this returns.
    fn stand_still(&self) {
        self.bar.iter().for_each(ProgressBar::disable_steady_tick);
    }

    fn end(self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {prefix}  {clock}  {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .with_key("clock", |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{}", duration::clock(state.elapsed()));
        })
}

/// `uploading image.tar 12.3 of 57.0 MiB (21 %)`.
fn amount(progress: &Progress) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    match progress.total {
        Some(total) if total > 0 => {
            let percent = progress.done.saturating_mul(100) / total;
            format!("{} {:.1} of {:.1} MiB ({percent} %)", progress.title, mib(progress.done), mib(total))
        }
        _ => format!("{} {:.1} MiB", progress.title, mib(progress.done)),
    }
}

impl Reporter for Terminal {
    fn event(&mut self, event: &Event) {
        for item in self.script.items(event) {
            let Item::Text { tone, build, text } = item else { continue };
            let text = if self.colour { paint(&self.script, tone, build.as_ref(), &text) } else { text };
            // `println` goes above the lanes; without any it is a plain line.
            if self.held || self.lanes.is_empty() || self.bars.println(&text).is_err() {
                super::write_line(&mut (Box::new(std::io::stdout()) as super::Out), &text);
            }
        }
        self.update(event);
    }

    fn hold(&mut self, asking: bool) {
        if asking == self.held {
            return;
        }
        self.held = asking;
        if asking {
            // First of all, so that none is drawn again behind what is cleared.
            self.lanes.iter().for_each(Lane::stand_still);
            // A terminal that went away has nothing to clear.
            let _ = self.bars.clear();
            self.bars.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            self.bars.set_draw_target(target());
            self.lanes.iter().for_each(Lane::tick);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let progress = Progress {
            id: 1,
            title: "uploading x".into(),
            done: 1 << 20,
            total: Some(4 << 20),
            finished: false,
        };
        assert_eq!(amount(&progress), "uploading x 1.0 of 4.0 MiB (25 %)");
        assert_eq!(amount(&Progress { total: None, ..progress }), "uploading x 1.0 MiB");
    }

    #[test]
    fn a_run_leaves_no_lane() {
        let mut terminal = Terminal::new(false);
        terminal.bars.set_draw_target(ProgressDrawTarget::hidden());
        crate::report::sample::run().iter().for_each(|event| terminal.event(event));
        assert!(terminal.lanes.is_empty());
    }

    #[test]
    fn many_builds_have_a_bounded_number_of_lanes() {
        let mut terminal = Terminal::new(false);
        terminal.hold(true);
        let start = |name: &str| crate::report::sample::event(Some(name), None, EventBody::BuildStarted);
        (0..MOST + 3).for_each(|n| terminal.event(&start(&format!("b{n}"))));
        let bars = |terminal: &Terminal| terminal.lanes.iter().filter(|lane| lane.bar.is_some()).count();
        assert_eq!(bars(&terminal), MOST);
        assert_eq!(terminal.rest.as_ref().unwrap().message(), "… and 3 more");
        terminal.lanes.remove(0).end();
        terminal.arrange();
        assert_eq!((bars(&terminal), terminal.lanes.len()), (MOST, MOST + 2));
        assert_eq!(terminal.rest.as_ref().unwrap().message(), "… and 2 more");
    }
}
