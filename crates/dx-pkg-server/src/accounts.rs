//! Users, tokens, organisations and teams: who a request comes from, and what that user may do.
//!
//! Passwords are hashed slowly, at logins only; tokens are 256 random bits, of which the SHA-256 is
//! stored, so that a request costs no slow hash. What a user may do is decided in
//! [`authorise`](authorise::authorise), and nowhere else.

pub(crate) mod audit_log;
pub(crate) mod authorise;
mod basic;
pub(crate) mod caller;
pub(crate) mod first_start;
pub(crate) mod issuers;
pub(crate) mod one_time;
pub(crate) mod org;
pub(crate) mod password;
mod records;
pub(crate) mod secret;
pub(crate) mod sessions;
pub(crate) mod token;
pub(crate) mod trust;
pub(crate) mod user;

pub(crate) use authorise::{Action, Readers, Subject, authorise, unknown};
pub(crate) use caller::{Caller, Login};
pub(crate) use records::{Accounts, iso, now};
pub(crate) use token::Token;
pub(crate) use user::User;

use serde::{Deserialize, Serialize};

/// The table `[accounts]` of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    /// Whether clients may make accounts for themselves (`npm adduser`).
    pub(crate) registration: bool,
    /// Whether reading takes a login.
    pub(crate) readers: Readers,
    /// Whether any user may found an organisation in a scope that nobody else publishes in.
    pub(crate) founding: bool,
    /// The issuers whose identity tokens are exchanged for tokens to publish with.
    pub(crate) issuers: Vec<trust::Issuer>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            registration: false,
            readers: Readers::default(),
            founding: true,
            issuers: Vec::new(),
        }
    }
}

/// What a package's owners have decided about it. Part of the package's document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PackageSettings {
    /// Whether only its owners, its teams and the members of its organisation read it.
    pub(crate) restricted: bool,
    /// Whether publishing needs a one-time password.
    pub(crate) publish_requires_tfa: bool,
    /// Whether tokens that bypass one-time passwords do so here too.
    pub(crate) automation_token_overrides_tfa: bool,
    /// The trusted publishers.
    pub(crate) trust: Vec<trust::Publisher>,
}
