//! Calls into the executor, bounded: a panic is a failure of the step, and a call that ignores its
//! cancel is dropped after a grace period.

use crate::executor::Failure;
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a call may take to end after it was cancelled.
pub(crate) const GRACE: Duration = Duration::from_secs(30);

/// Waits for `call`; ends it `GRACE` after `cancel`.
pub(crate) async fn bounded<T>(
    call: impl Future<Output = Result<T, Failure>>,
    cancel: &CancellationToken,
) -> Result<T, Failure> {
    let call = Caught(Box::pin(call));
    tokio::select! {
        biased;
        result = call => result.unwrap_or_else(|panic| Err(Failure::new(words(&*panic)))),
        () = async { cancel.cancelled().await; tokio::time::sleep(GRACE).await } => Err(Failure::cancelled()),
    }
}

/// A future whose panics are its result. A future that panicked is not polled again.
struct Caught<F>(Pin<Box<F>>);

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

/// What a panic said.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    format!("kiln itself broke, please report it: {text}")
}
