//! What is to be said of protocols, collected by threads that cannot say it.

use std::sync::{Arc, Mutex, PoisonError};

/// Something to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// To everyone.
    Said(String),
    /// To those who want to know everything.
    Detail(String),
}

/// Notes of one command. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<Note>>>);

impl Notes {
    pub(crate) fn add(&self, note: Note) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Several streams may have one thing to say.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Returns the notes so far, and forgets them.
    #[must_use]
    pub fn take(&self) -> Vec<Note> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
