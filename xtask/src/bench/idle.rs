//! The part of a build in which neither the guest nor a tool works, from kiln's own event log.
//!
//! Idle is what lies between the steps, and within a step what a span says was only waited: a pause,
//! a question, a screen that had to stand still before the typing. A guest that boots, a transfer and
//! a conversion are work. Builds are taken one at a time, so steps do not overlap.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Spans within a step in which nothing happens.
const WAITING: [&str; 3] = ["pause", "question", "still"];

/// The idle part of the run in a `--log-format=json` log, from 0 to 1.
pub(crate) fn share(log: &Path) -> Result<f64> {
    let text = fs::read_to_string(log).with_context(|| format!("reading {}", log.display()))?;
    let events: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let sum = |wanted: &dyn Fn(&Value) -> bool| -> f64 {
        events.iter().filter(|event| wanted(event)).filter_map(|event| event["seconds"].as_f64()).sum()
    };
    let all = sum(&|event| event["event"] == "run-finished");
    let steps = sum(&|event| event["event"] == "step-finished");
    let waited = sum(&|event| {
        event["event"] == "span" && event["name"].as_str().is_some_and(|name| WAITING.contains(&name))
    });
    anyhow::ensure!(all > 0.0 && steps > 0.0, "{} is no log of a run", log.display());
    Ok(((all - steps).max(0.0) + waited) / all)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn gaps_and_waits_are_idle() {
        let log = std::env::temp_dir().join(format!("kiln-bench-idle-{}", std::process::id()));
        let lines = [
            r#"{"event":"step-finished","seconds":6.0}"#,
            r#"{"event":"span","name":"connect","seconds":5.0}"#,
            r#"{"event":"span","name":"still","seconds":1.0}"#,
            "a line of something else",
            r#"{"event":"step-finished","seconds":2.0}"#,
            r#"{"event":"run-finished","seconds":10.0}"#,
        ];
        std::fs::write(&log, lines.join("\n")).unwrap();
        let found = share(&log);
        std::fs::remove_file(&log).unwrap();
        assert!((found.unwrap() - 0.3).abs() < 1e-9);
    }
}
