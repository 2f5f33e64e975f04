//! Users: their names, profiles and second factors.

use crate::accounts::one_time::SecondFactor;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};

/// The longest name of a user, in bytes.
const LONGEST: usize = 64;

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) email: String,
    /// The argon2 hash of the password; without one nobody logs in by password.
    #[serde(default)]
    pub(crate) password: Option<String>,
    /// Whether the user may do everything.
    #[serde(default)]
    pub(crate) admin: bool,
    /// In milliseconds since 1970.
    pub(crate) created: u64,
    pub(crate) updated: u64,
    #[serde(default)]
    pub(crate) fullname: String,
    #[serde(default)]
    pub(crate) homepage: String,
    #[serde(default)]
    pub(crate) github: String,
    #[serde(default)]
    pub(crate) second_factor: Option<SecondFactor>,
}

impl User {
    /// Creates a user without a password.
    pub(crate) fn new(name: &str, now: u64) -> Self {
        Self {
            name: name.to_owned(),
            email: String::new(),
            password: None,
            admin: false,
            created: now,
            updated: now,
            fullname: String::new(),
            homepage: String::new(),
            github: String::new(),
            second_factor: None,
        }
    }

    /// Returns the second factor, once a first code has confirmed it.
    pub(crate) fn active_second_factor(&self) -> Option<&SecondFactor> {
        self.second_factor.as_ref().filter(|factor| !factor.pending)
    }
}

/// Checks a name for a new user or an organisation: lower-case letters, digits, `-`, `_` and `.`,
/// as names that become part of package names must be.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    let begins = name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if begins && name.len() <= LONGEST && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Failure::bad_request(format!(
        "{name:?} cannot be a name here: use up to {LONGEST} lower-case letters, digits, '-', '_' \
         and '.', beginning with a letter or a digit"
    )))
}
