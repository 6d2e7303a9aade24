//! Signals. The first one cancels and lets every build clean up; the second one ends kiln at once
//! and says how to remove what is left.

use crate::exit::Exit;
use crate::screen::Screen;
use tokio_util::sync::CancellationToken;

/// Watches for signals until the runtime ends.
pub(crate) fn watch(screen: Screen, cancel: CancellationToken, run: String) {
    tokio::spawn(async move {
        let mut signals = Signals::new();
        signals.next().await;
        screen.say("Cancelling build after receiving interrupt");
        cancel.cancel();
        signals.next().await;
        screen.error(format!(
            "Interrupted again: kiln ends without cleaning up. What is left is removed by: kiln cleanup {run}"
        ));
        std::process::exit(Exit::Failure.code().into());
    });
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
