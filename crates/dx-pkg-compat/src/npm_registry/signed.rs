//! Addresses of tarballs with a user, token or signature in them.
//!
//! What is recorded of such an address has no secret; the whole one stays in memory, as long as the
//! command runs. A later command requests what is recorded, and where the server refuses that, the
//! packument for the address of the day.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::packument::FullAddresses;

/// The whole addresses, by what is recorded of them.
#[derive(Default)]
pub(super) struct Addresses {
    known: Mutex<HashMap<Box<str>, Box<str>>>,
}

impl Addresses {
    /// Adds those of a packument.
    pub(super) fn add(&self, addresses: FullAddresses) {
        if !addresses.is_empty() {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).extend(addresses);
        }
    }

    /// Returns the whole address of a recorded one that lacks something.
    pub(super) fn full(&self, recorded: &str) -> Option<Box<str>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(recorded).cloned()
    }
}
