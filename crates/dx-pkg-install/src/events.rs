//! What an install reports while it runs.

use std::sync::Arc;

use dx_pkg_acquire::Counters;
use dx_pkg_acquire::notes::Note;

use crate::Session;

/// A script that was started.
#[derive(Clone, Copy, Debug)]
pub struct StartedScript<'s> {
    /// The package whose script it is, with its version.
    pub package: &'s str,
    /// The event, such as `postinstall`.
    pub event: &'s str,
    /// Its text.
    pub script: &'s str,
    /// Whether it writes to the terminal itself.
    pub is_shown: bool,
}

/// A listener of an install. Every method has an empty default.
pub trait Events: Sync {
    /// Reports something the user should know, while the install goes on.
    fn warning(&self, _text: &str) {}

    /// Reports something that is as it should be and that a newcomer may wonder about.
    fn note(&self, _text: &str) {}

    /// Reports something that only those want to know who want to know everything.
    fn detail(&self, _text: &str) {}

    /// Reports that work begins that takes time; `counters` show how far it is.
    fn work_began(&self, _session: &Session, _counters: &Arc<Counters>) {}

    /// Reports that this work has ended. Reported also where none had begun.
    fn work_ended(&self) {}

    /// Reports that a script begins.
    fn script_began(&self, _session: &Session, _script: &StartedScript<'_>) {}

    /// Reports that it has ended.
    fn script_ended(&self) {}

    /// Returns whether scripts may write to the terminal: those of the project itself, and with
    /// `foreground-scripts` all. Otherwise their output is captured.
    fn shows_script_output(&self) -> bool {
        false
    }

    /// Reports that maintenance of the store is due: a process should call
    /// [`crate::maintenance::run`].
    fn maintenance_due(&self, _session: &Session) {}
}

/// Tells what there is to be said of the registries' protocols.
pub(crate) fn tell_notes(session: &Session, events: &dyn Events) {
    for note in session.context.notes.take() {
        match note {
            Note::Said(text) => events.note(&text),
            Note::Detail(text) => events.detail(&text),
        }
    }
}

/// A listener that ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoEvents;

impl Events for NoEvents {}
