//! Refusals of a registry: what they mean, and what the user can do.

use dx_pkg_core::Coded;
use dx_pkg_core::text::plain_text;
use dx_pkg_fetch::header::{HeaderMap, WWW_AUTHENTICATE};
use dx_pkg_fetch::{Bytes, Method, StatusCode};
use serde_json::Value;

/// The longest message of a registry that is shown.
const LONGEST: usize = 500;

/// The kinds of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The registry does not know who asks.
    NotLoggedIn,
    /// It wants a one-time password.
    OneTimePassword,
    /// It does not allow this to the user, or not at all.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// It clashes with what is there.
    Conflict,
    /// Anything else.
    Other,
}

/// A refusal of a registry.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{method} {url}: the registry answers {status}{}", Message(message))]
pub struct Refusal {
    /// The method of the request.
    pub method: String,
    /// Its address.
    pub url: String,
    /// The status of the answer.
    pub status: StatusCode,
    /// What it means.
    pub kind: RefusalKind,
    /// What the registry says.
    pub message: String,
    /// The whole answer, where it is JSON.
    pub body: Value,
}

impl Refusal {
    /// Reads the answer to a request.
    pub(crate) fn read(
        method: &Method,
        url: String,
        (status, headers, body): (StatusCode, &HeaderMap, &Bytes),
    ) -> Self {
        let text = String::from_utf8_lossy(body).into_owned();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let told = ["error", "message", "reason"].iter().find_map(|key| body.get(*key)?.as_str());
        let message = plain_text(told.unwrap_or_default(), LONGEST);
        let challenges = headers.get_all(WWW_AUTHENTICATE).iter();
        let challenges: String =
            challenges.filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
        let wants_otp = challenges.to_ascii_lowercase().split([',', ' ']).any(|word| word == "otp")
            || text.to_ascii_lowercase().contains("one-time pass");
        let kind = match status {
            StatusCode::UNAUTHORIZED if wants_otp => RefusalKind::OneTimePassword,
            StatusCode::UNAUTHORIZED => RefusalKind::NotLoggedIn,
            StatusCode::FORBIDDEN => RefusalKind::Forbidden,
            StatusCode::NOT_FOUND => RefusalKind::NotFound,
            StatusCode::CONFLICT => RefusalKind::Conflict,
            _ => RefusalKind::Other,
        };
        Refusal { method: method.to_string(), url, status, kind, message, body }
    }

    /// Returns where the user authenticates in a browser, and where the end of that is asked for.
    pub(crate) fn pages(&self) -> Option<(&str, &str)> {
        let text = |key: &str| self.body.get(key)?.as_str();
        text("authUrl").zip(text("doneUrl"))
    }
}

/// `: message`, or nothing.
struct Message<'m>(&'m str);

impl std::fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0) }
    }
}

impl Coded for Refusal {
    fn code(&self) -> &'static str {
        match self.kind {
            RefusalKind::NotLoggedIn => "DX_NOT_LOGGED_IN",
            RefusalKind::OneTimePassword => "DX_OTP_REQUIRED",
            RefusalKind::Forbidden => "DX_FORBIDDEN",
            RefusalKind::NotFound => "DX_NOT_IN_REGISTRY",
            RefusalKind::Conflict => "DX_REGISTRY_CONFLICT",
            RefusalKind::Other => "DX_REGISTRY_REFUSED",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self.kind {
            RefusalKind::NotLoggedIn => {
                "the token for this registry is missing, expired or of another registry: `dx login`"
            }
            RefusalKind::OneTimePassword => match self.pages() {
                Some(_) => {
                    "run it in a terminal, where a page of the registry confirms it, or give --otp=CODE"
                }
                None => "give the code of your authenticator: --otp=CODE",
            },
            RefusalKind::Forbidden => {
                "`dx whoami` tells who you are; ask an owner of the package or of the scope"
            }
            RefusalKind::NotFound => {
                "check the name; the registry may also answer so to who is not logged in"
            }
            RefusalKind::Conflict => "somebody else has changed it meanwhile: try again",
            RefusalKind::Other => return None,
        };
        Some(hint.to_owned())
    }
}
