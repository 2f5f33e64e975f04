//! Names and passwords in requests (`Authorization: Basic`): each is checked slowly once, then
//! remembered for a while, as long as the user's password stays the same.

use crate::accounts::{Accounts, User, password, secret};
use crate::failure::Failure;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use ring::hmac;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
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
    fn mark(&self, hash: &str, password: &str) -> Option<Vec<u8>> {
        let text = format!("{hash}\0{password}");
        self.key.as_ref().map(|key| hmac::sign(key, text.as_bytes()).as_ref().to_vec())
    }

    fn has(&self, mark: &[u8]) -> bool {
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

    fn add(&self, mark: Vec<u8>) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        if right.len() >= ENTRIES {
            right.clear();
        }
        right.insert(mark, Instant::now());
    }

    /// Refuses an address from which too many logins failed, or a user for whom too many one-time
    /// passwords were wrong.
    fn check(&self, whose: &str) -> Result<(), Failure> {
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

    fn count_failure(&self, whose: &str) {
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

impl Accounts {
    /// Finds the user of a name and a password; `None` where they do not belong together.
    pub(crate) async fn user_by_password(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<Option<Arc<User>>, Failure> {
        self.known.check(&address.to_string())?;
        let user = self.user(name).await?;
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let mark = hash.as_deref().and_then(|hash| self.known.mark(hash, password));
        if mark.as_deref().is_some_and(|mark| self.known.has(mark)) {
            return Ok(user);
        }
        if !password::verify(password, hash.as_deref()).await? {
            self.known.count_failure(&address.to_string());
            self.log.record("login refused", name, "", address);
            return Ok(None);
        }
        if let Some(mark) = mark {
            self.known.add(mark);
        }
        Ok(user)
    }

    /// Whether a one-time password is valid for this user: a code of the app, a recovery code, or
    /// what a browser's confirmation gave.
    pub(crate) async fn accepts_one_time(&self, user: &User, code: &str) -> Result<bool, Failure> {
        let Some(factor) = user.active_second_factor() else {
            return Ok(true);
        };
        let (code, whose) = (code.trim(), format!("one-time {}", user.name));
        self.known.check(&whose)?;
        if factor.accepts(code, crate::accounts::now() / 1000) {
            return Ok(true);
        }
        if self.confirmed_in_browser(user, code).await? {
            return Ok(true);
        }
        if code.len() != 32 || !factor.recovery.contains(&secret::digest(code)) {
            self.known.count_failure(&whose);
            return Ok(false);
        }
        let mut taken = false;
        self.change_user(&user.name, |user| {
            taken = user.second_factor.as_mut().is_some_and(|factor| factor.take_recovery(code));
            Ok(())
        })
        .await?;
        Ok(taken)
    }
}
