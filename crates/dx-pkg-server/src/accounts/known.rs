//! Passwords that were checked a moment ago, and logins that failed: in this process only.

use crate::failure::Failure;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use ring::hmac;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time that a password is remembered.
const REMEMBERED: Duration = Duration::from_secs(300);
/// The failed logins from an address within [`WINDOW`] after which it has to wait.
const FAILURES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(60);
/// The entries that are kept of each.
const ENTRIES: usize = 10_000;

/// What is remembered of passwords, in this process only.
pub(super) struct Known {
    key: Option<hmac::Key>,
    right: Mutex<HashMap<Vec<u8>, Instant>>,
    failures: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Default for Known {
    fn default() -> Self {
        let mut random = [0_u8; 32];
        let key = getrandom::fill(&mut random).ok();
        Self {
            key: key.map(|()| hmac::Key::new(hmac::HMAC_SHA256, &random)),
            right: Mutex::default(),
            failures: Mutex::default(),
        }
    }
}

impl Known {
    /// Returns what stands for a password that matched a hash.
    pub(super) fn mark(&self, hash: &str, password: &str) -> Option<Vec<u8>> {
        let text = format!("{hash}\0{password}");
        self.key.as_ref().map(|key| hmac::sign(key, text.as_bytes()).as_ref().to_vec())
    }

    pub(super) fn has(&self, mark: &[u8]) -> bool {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        match right.get(mark) {
            Some(since) if since.elapsed() < REMEMBERED => true,
            Some(_) => {
                right.remove(mark);
                false
            }
            None => false,
        }
    }

    pub(super) fn add(&self, mark: Vec<u8>) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= ENTRIES {
            right.clear();
        }
        right.insert(mark, Instant::now());
    }

    /// Refuses an address from which too many logins failed, or a user for whom too many one-time
    /// passwords were wrong.
    pub(super) fn check(&self, whose: &str) -> Result<(), Failure> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.get(whose) {
            Some((count, since)) if *count >= FAILURES && since.elapsed() < WINDOW => {
                let text = "too many logins failed: try again in a minute";
                let wait = WINDOW.as_secs().to_string();
                Err(Failure::new(StatusCode::TOO_MANY_REQUESTS, text).header(RETRY_AFTER, &wait))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn count_failure(&self, whose: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= ENTRIES {
            failures.retain(|_, (_, since)| since.elapsed() < WINDOW);
        }
        let entry = failures.entry(whose.to_owned()).or_insert((0, Instant::now()));
        if entry.1.elapsed() >= WINDOW {
            *entry = (0, Instant::now());
        }
        entry.0 += 1;
    }
}
