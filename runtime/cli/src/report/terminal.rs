//! A terminal: Packer's lines scroll, and below them each build that runs has a live lane with its
//! present step, the time it has taken and how far its transfer is.

use super::lines::{Item, Script, paint};
use super::{Reporter, duration};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use kiln_plan::{Event, EventBody, Progress};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// Lines and lanes, on the terminal.
pub(crate) struct Terminal {
    bars: MultiProgress,
    lanes: HashMap<Arc<str>, Lane>,
    script: Script,
    colour: bool,
}

/// One build.
struct Lane {
    bar: ProgressBar,
    step: String,
    progress: Option<Progress>,
}

impl Terminal {
    /// `colour` is false under NO_COLOR.
    pub(crate) fn new(colour: bool) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        Self { bars, lanes: HashMap::new(), script: Script::default(), colour }
    }

    fn lane(&mut self, build: &Arc<str>) -> &mut Lane {
        self.lanes.entry(Arc::clone(build)).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new_spinner());
            bar.set_style(style());
            bar.set_prefix(build.to_string());
            bar.enable_steady_tick(Duration::from_millis(200));
            Lane { bar, step: String::new(), progress: None }
        })
    }

    fn update(&mut self, event: &Event) {
        let Some(build) = &event.build else {
            if matches!(event.body, EventBody::RunFinished { .. }) {
                self.lanes.drain().for_each(|(_, lane)| lane.bar.finish_and_clear());
            }
            return;
        };
        match &event.body {
            EventBody::StepStarted { phase } => {
                let title = event.step.as_ref().map_or_else(
                    || phase.to_string(),
                    |step| step.label.clone().unwrap_or_else(|| format!("{phase} {}", step.component.name)),
                );
                let lane = self.lane(build);
                lane.step = title;
                lane.progress = None;
                lane.show();
            }
            EventBody::Progress(progress) => {
                let lane = self.lane(build);
                lane.progress = (!progress.finished).then(|| progress.clone());
                lane.show();
            }
            EventBody::BuildFinished { .. } => {
                if let Some(lane) = self.lanes.remove(build) {
                    lane.bar.finish_and_clear();
                }
            }
            EventBody::BuildStarted => self.lane(build).show(),
            _ => {}
        }
    }
}

impl Lane {
    fn show(&self) {
        let text = self
            .progress
            .as_ref()
            .map_or_else(|| self.step.clone(), |p| format!("{}: {}", self.step, amount(p)));
        self.bar.set_message(text);
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
            if self.lanes.is_empty() || self.bars.println(&text).is_err() {
                super::write_line(&mut (Box::new(std::io::stdout()) as super::Out), &text);
            }
        }
        self.update(event);
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
}
