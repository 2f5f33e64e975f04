//! Why a registry's answer cannot be used.

use super::reason;
use crate::npmrc::{Config, ConfigWarning};
use dx_pkg_core::{Coded, IntegrityMismatch, PackageName};
use dx_pkg_fetch::error::FetchCause;
use dx_pkg_fetch::{FetchError, StatusCode, redact_url};
use std::fmt;
use url::Url;

/// A request to a registry that did not yield what was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry does not know the package.
    #[error("package not found: {name} (registry {registry}){}", Because(reason))]
    NotFound {
        /// The package.
        name: PackageName,
        /// The registry's address, without secrets.
        registry: String,
        /// What the registry says about it.
        reason: Option<String>,
        /// The `.npmrc` key that would hold its credentials.
        key: String,
        /// Whether credentials were sent.
        authorized: bool,
        /// Credentials for it that are configured and not used.
        unused: Option<Box<ConfigWarning>>,
    },
    /// The tarball is not where it should be.
    #[error("the tarball of {name} is not at {url}{}", Because(reason))]
    TarballNotFound {
        /// The package.
        name: PackageName,
        /// The address, without secrets.
        url: String,
        /// What the registry says about it.
        reason: Option<String>,
    },
    /// The registry wants credentials, or other ones.
    #[error(
        "the registry refuses {name} ({status}) at {url}: {}",
        why_refused(*status, reason.as_deref(), *authorized)
    )]
    Unauthorized {
        /// The package.
        name: PackageName,
        /// The address, without secrets.
        url: String,
        /// 401 or 403.
        status: StatusCode,
        /// What the registry says about it.
        reason: Option<String>,
        /// The `.npmrc` key that holds, or would hold, the credentials.
        key: String,
        /// Whether credentials were sent.
        authorized: bool,
        /// Credentials for it that are configured and not used.
        unused: Option<Box<ConfigWarning>>,
    },
    /// The answer is not a packument.
    #[error(
        "the answer for {name} from {url} is not a packument: {reason}; it begins with \"{beginning}\""
    )]
    BadPackument {
        /// The package.
        name: PackageName,
        /// The address, without secrets.
        url: String,
        /// What is wrong with it, made plain.
        reason: String,
        /// Its first characters, made plain.
        beginning: String,
    },
    /// A tarball's bytes are not those that were published or locked.
    #[error("the tarball of {name} from {url}: {mismatch}")]
    Integrity {
        /// The package.
        name: PackageName,
        /// The address, without secrets.
        url: String,
        /// What was expected and what came.
        mismatch: Box<IntegrityMismatch>,
    },
    /// A tarball's address cannot be fetched from.
    #[error("{name} cannot be fetched from \"{url}\", which is not an http: or https: address")]
    BadUrl {
        /// The package.
        name: PackageName,
        /// The address, made plain.
        url: String,
    },
    /// The request failed.
    #[error("{name}: {error}")]
    Fetch {
        /// The package.
        name: PackageName,
        /// What happened.
        error: Box<FetchError>,
    },
}

impl RegistryError {
    /// Leaves out what is known to be a credential of the beginning of a wrong answer.
    pub(super) fn without_credentials(mut self, config: &Config) -> Self {
        if let Self::BadPackument { reason, beginning, .. } = &mut self {
            *reason = config.without_credentials(reason);
            *beginning = config.without_credentials(beginning);
        }
        self
    }
}

impl Coded for RegistryError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "DX_PACKAGE_NOT_FOUND",
            Self::TarballNotFound { .. } => "DX_TARBALL_NOT_FOUND",
            Self::Unauthorized { .. } => "DX_UNAUTHORIZED",
            Self::BadPackument { .. } => "DX_BAD_PACKUMENT",
            Self::Integrity { mismatch, .. } => mismatch.code(),
            Self::BadUrl { .. } => "DX_BAD_TARBALL_URL",
            Self::Fetch { error, .. } => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { unused: Some(unused), authorized: false, .. } => {
                format!("check the name; or the package is private, and {}", told(unused))
            }
            Self::Unauthorized { unused: Some(unused), authorized: false, .. } => told(unused),
            Self::NotFound { key, authorized: false, .. } => {
                format!("check the name; if the package is private, log in or set {key} in your .npmrc")
            }
            Self::NotFound { key, .. } => {
                format!("check the name, and whether the account behind {key} may see the package")
            }
            Self::TarballNotFound { .. } => {
                "the version may have been removed, or the lockfile written for another registry: install another \
                 version, or remove the entry from the lockfile"
                    .to_owned()
            }
            Self::Unauthorized { key, status, reason: Some(_), authorized, .. }
                if *status == StatusCode::FORBIDDEN =>
            {
                policy_hint(key, *authorized)
            }
            Self::Unauthorized { key, authorized: false, .. } => format!("log in, or set {key} in your .npmrc"),
            Self::Unauthorized { key, status, .. } if status.as_u16() == 401 => {
                format!("the token may have expired: log in again, or correct {key} in .npmrc")
            }
            Self::Unauthorized { key, .. } => {
                format!("check whether the account behind {key} may read the package")
            }
            Self::BadPackument { .. } => {
                "check the registry's address in .npmrc; a proxy or a login page may be answering in its place"
                    .to_owned()
            }
            Self::BadUrl { .. } => "correct the `resolved` address in the lockfile".to_owned(),
            Self::Integrity { mismatch, .. } => return mismatch.hint(),
            Self::Fetch { error, .. } => return error.hint(),
        })
    }
}

/// Why credentials are not used, and what helps.
fn told(unused: &ConfigWarning) -> String {
    let hint = unused.hint().unwrap_or_default();
    format!("{unused}: {hint}")
}

/// What helps where a registry says why it does not give something out.
fn policy_hint(key: &str, authorized: bool) -> String {
    let credentials = if authorized {
        format!("check whether the account behind {key} may read the package")
    } else {
        format!("log in or set {key} in your .npmrc")
    };
    format!(
        "ask those who run the registry, or choose another version; if it is about permissions, \
         {credentials}"
    )
}

/// Why a request was refused: the registry's own words, and what they leave out.
fn why_refused(status: StatusCode, reason: Option<&str>, authorized: bool) -> String {
    let own = if authorized {
        "the credentials sent are not accepted"
    } else {
        "no credentials are configured for it"
    };
    match reason {
        Some(reason) if authorized || status != StatusCode::UNAUTHORIZED => reason.to_owned(),
        Some(reason) => format!("{reason}; {own}"),
        None => own.to_owned(),
    }
}

/// `: reason`, or nothing.
struct Because<'a>(&'a Option<String>);

impl fmt::Display for Because<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// The error with the reason that the registry gives as its message; and that reason. The reason
/// leaves out what is known to be a credential.
pub(super) fn explained(mut error: FetchError, config: &Config) -> (FetchError, Option<String>) {
    let mut found = None;
    if let FetchCause::Status { status, message, answer, .. } = &mut error.cause {
        found = reason::reason(*status, answer).map(|reason| config.without_credentials(&reason));
        message.clone_from(&found);
    }
    (error, found)
}

/// The `.npmrc` key for the token of everything below `registry`.
pub(super) fn token_key(registry: &Url) -> String {
    let port = registry.port().map(|port| format!(":{port}")).unwrap_or_default();
    let path = registry.path().trim_end_matches('/');
    let key = format!("//{}{port}{path}/:_authToken", registry.host_str().unwrap_or_default());
    dx_pkg_core::text::plain_text(&key, 300)
}

/// Whether `error` is a 404 or 410.
pub(super) fn is_missing(error: &FetchError) -> bool {
    error.status().is_some_and(|status| matches!(status.as_u16(), 404 | 410))
}

/// Whether `error` is a 401 or 403; then the status.
pub(super) fn refusal(error: &FetchError) -> Option<StatusCode> {
    error.status().filter(|status| matches!(status.as_u16(), 401 | 403))
}

/// `url` as errors show it.
pub(super) fn shown(url: &Url) -> String {
    redact_url(url)
}
