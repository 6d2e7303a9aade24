//! Signals. The first one cancels and lets every build clean up; the second one ends kiln at once
//! and says how to remove what is left.

use crate::exit::Exit;
use crate::screen::Screen;
use kiln_host::Journal;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Watches for signals until the runtime ends. `state` is where the journal is.
pub(crate) fn watch(screen: Screen, cancel: CancellationToken, run: String, state: PathBuf) {
    tokio::spawn(async move {
        let mut signals = Signals::new();
        signals.next().await;
        screen.say("Cancelling build after receiving interrupt");
        cancel.cancel();
        signals.next().await;
        let _held = screen.hold();
        screen.error(last_words(&run, &Journal::left_by(&state, &run)));
        std::process::exit(Exit::Failure.code().into());
    });
}

/// What is left, one thing a line, and how to remove it. Machines and programs end with kiln.
fn last_words(run: &str, left: &[String]) -> String {
    let list: String = left.iter().map(|thing| format!("\n    {thing}")).collect();
    match left {
        [] => "Interrupted again: kiln ends at once. Nothing is left.".to_owned(),
        _ => format!(
            "Interrupted again: kiln ends without cleaning up. This is left, until you run `kiln cleanup {run}`:{list}"
        ),
    }
}

/// The signals that end a program.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        Self(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    async fn next(&mut self) {
        std::future::poll_fn(|context| {
            let ready = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> Self {
        Self
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
