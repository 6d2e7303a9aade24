//! `journal` (role): what a component made outside this machine. Threat: a journal that fills the
//! disk, or that holds secrets.

use super::{Authority, Call, Role};
use crate::bindings::kiln::host::journal::{self, UndoEntry};
use crate::bindings::kiln::host::types::ErrorCode;
use crate::build::undo;
use crate::error::{CallResult, fail};
use crate::journal::Entry;
use crate::state::State;

/// The longest text of an entry.
const MAX_TEXT: usize = 64 << 10;

impl journal::Host for State {
    async fn record_undo(&mut self, entry: UndoEntry) -> CallResult<u64> {
        let mut call = Call::enter(self, "journal.record-undo", Authority::Role(Role::ACTIVE))?;
        call.target(entry.summary.clone());
        let checked = self.fit(&[&entry.kind, &entry.key, &entry.data, &entry.summary]);
        if let Err(error) = checked {
            return call.done(Err(error));
        }
        let summary = self.step.shown(&entry.summary);
        let outside = undo::recorded(&self.step, entry, summary);
        let (journal, recorded) =
            (self.step.build.journal.clone(), self.step.build.extension(undo::Recorded::default));
        let configuration = self.step.configuration.clone();
        let result = call.blocking(move || {
            let number = journal.record(Entry::Outside(outside?))?;
            recorded.keep(number, configuration);
            Ok(number)
        });
        let result = result.await;
        call.done(result)
    }

    async fn amend(&mut self, number: u64, data: String) -> CallResult<()> {
        let call = Call::enter(self, "journal.amend", Authority::Role(Role::ACTIVE))?;
        if let Err(error) = self.fit(&[&data]) {
            return call.done(Err(error));
        }
        let journal = self.step.build.journal.clone();
        let result = call.blocking(move || Ok(journal.amend(number, data)?)).await;
        call.done(result)
    }

    async fn done(&mut self, number: u64) -> CallResult<()> {
        // Also after a cancel: it tells what is gone already.
        let call = Call::enter_uncancelled(self, "journal.done", Authority::Role(Role::ACTIVE))?;
        let result = self.step.build.journal.done(number).map_err(Into::into);
        call.done(result)
    }

    async fn keep(&mut self, number: u64) -> CallResult<()> {
        let call = Call::enter_uncancelled(self, "journal.keep", Authority::Role(Role::ACTIVE))?;
        let result = self.step.build.journal.keep(number).map_err(Into::into);
        call.done(result)
    }
}

impl State {
    fn fit(&self, texts: &[&str]) -> CallResult<()> {
        for text in texts {
            if text.len() > MAX_TEXT {
                return Err(fail(ErrorCode::Limit, "a text of the journal has more than 64 KiB"));
            }
            if self.step.build.vault.has_sealed(text) || self.step.build.vault.redactor().finds(text) {
                return Err(fail(ErrorCode::Invalid, "the journal takes no secrets"));
            }
        }
        Ok(())
    }
}
