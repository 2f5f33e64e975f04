//! Errors of a request.

use crate::text::{redact_text, redact_url};
use bytes::Bytes;
use dx_pkg_core::Coded;
use dx_pkg_core::coded::MORE_OPEN_FILES;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;
use url::Url;

/// A request that failed for good.
#[derive(Debug, Clone, thiserror::Error)]
#[error("could not fetch {url}{}: {cause}", Tries(*tries))]
pub struct FetchError {
    /// The requested address, without user, password and query.
    pub url: String,
    /// The number of tries.
    pub tries: u32,
    /// The cause of the last try's failure.
    pub cause: FetchCause,
}

impl FetchError {
    pub(crate) fn new(url: &Url, tries: u32, cause: FetchCause) -> Self {
        Self { url: redact_url(url), tries, cause }
    }

    /// Returns the HTTP status if the server answered with an error.
    pub fn status(&self) -> Option<StatusCode> {
        match &self.cause {
            FetchCause::Status { status, .. } => Some(*status),
            _ => None,
        }
    }
}

/// The cause of a failed try.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FetchCause {
    /// The network is switched off.
    #[error("the network is switched off (offline)")]
    Offline,
    /// A time limit was exceeded.
    #[error("{phase} took longer than {}", Seconds(*limit))]
    Timeout {
        /// The phase that took too long.
        phase: Phase,
        /// The limit.
        limit: Duration,
    },
    /// The host's name has no address.
    #[error("the host {host} was not found: {reason}")]
    Dns {
        /// The host name that was looked up: the server's or the proxy's.
        host: String,
        /// The resolver's message.
        reason: String,
    },
    /// No connection could be made, or it broke before the answer began.
    #[error("no connection: {reason}")]
    Connect {
        /// The system's message.
        reason: String,
    },
    /// This process, or the whole system, has too many files open for another connection.
    #[error("no connection: {reason}")]
    OpenFiles {
        /// The system's message.
        reason: String,
    },
    /// The server's certificate or its TLS is not acceptable.
    #[error("no secure connection: {reason}")]
    Tls {
        /// The cause.
        reason: String,
        /// What helps.
        hint: String,
    },
    /// The server requires a client certificate, or another one than it was shown.
    #[error("the server refuses the client's certificate, or the lack of one: {reason}")]
    ClientCertificate {
        /// The server's message.
        reason: String,
    },
    /// The server answered with an error.
    #[error("the server answered {status}{}", ServerMessage(message.as_deref()))]
    Status {
        /// The status.
        status: StatusCode,
        /// What the server says, as plain text.
        message: Option<String>,
        /// The answer itself.
        answer: Box<ErrorAnswer>,
        /// The pause that the server asks for.
        retry_after: Option<Duration>,
    },
    /// The answer broke off.
    #[error("the answer broke off after {received} bytes{}: {reason}", OfExpected(*expected))]
    Truncated {
        /// Bytes received.
        received: u64,
        /// Bytes announced by `Content-Length`.
        expected: Option<u64>,
        /// The connection's error message.
        reason: String,
    },
    /// The answer is larger than allowed.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// A redirect that is not followed.
    #[error("the server redirects to {to}, which is not followed: {reason}")]
    Redirect {
        /// The target, as plain text.
        to: String,
        /// The reason for not following it.
        reason: &'static str,
    },
    /// The address, or each address of the host, is one that the configuration does not admit.
    #[error("requests to {host} are not admitted")]
    Forbidden {
        /// The host.
        host: String,
    },
    /// The address is neither `http:` nor `https:`.
    #[error("only http: and https: addresses can be fetched")]
    Scheme,
    /// A setting cannot be used.
    #[error("the setting {setting} cannot be used: {reason}")]
    Configuration {
        /// The setting's name.
        setting: Cow<'static, str>,
        /// The reason.
        reason: String,
    },
}

/// An answer with an error status.
#[derive(Debug, Clone, Default)]
pub struct ErrorAnswer {
    /// Its headers.
    pub headers: HeaderMap,
    /// The beginning of its body as sent, with any `Content-Encoding`.
    pub body: Bytes,
}

/// The phase that a timeout interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Connecting, TLS included.
    Connect,
    /// Waiting for the next bytes.
    Idle,
    /// The whole transfer.
    Total,
}

impl FetchCause {
    /// Returns whether a retry may succeed.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Timeout { .. }
            | Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Truncated { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error()
                    || matches!(
                        *status,
                        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
                    )
            }
            Self::Offline
            | Self::OpenFiles { .. }
            | Self::Tls { .. }
            | Self::ClientCertificate { .. }
            | Self::TooLarge { .. }
            | Self::Redirect { .. }
            | Self::Forbidden { .. }
            | Self::Scheme
            | Self::Configuration { .. } => false,
        }
    }
}

/// Returns the message of the innermost cause: it names the failure, the outer ones only its place.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    redact_text(&innermost.to_string())
}

impl Coded for FetchError {
    fn code(&self) -> &'static str {
        match &self.cause {
            FetchCause::Offline => "DX_FETCH_OFFLINE",
            FetchCause::Timeout { .. } => "DX_FETCH_TIMEOUT",
            FetchCause::Dns { .. } => "DX_FETCH_DNS",
            FetchCause::Connect { .. } | FetchCause::OpenFiles { .. } => "DX_FETCH_CONNECT",
            FetchCause::Tls { .. } => "DX_FETCH_TLS",
            FetchCause::ClientCertificate { .. } => "DX_FETCH_CLIENT_CERTIFICATE",
            FetchCause::Status { .. } => "DX_FETCH_STATUS",
            FetchCause::Truncated { .. } => "DX_FETCH_TRUNCATED",
            FetchCause::TooLarge { .. } => "DX_FETCH_TOO_LARGE",
            FetchCause::Redirect { .. } => "DX_FETCH_REDIRECT",
            FetchCause::Forbidden { .. } => "DX_FETCH_FORBIDDEN",
            FetchCause::Scheme => "DX_FETCH_SCHEME",
            FetchCause::Configuration { .. } => "DX_FETCH_CONFIG",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match &self.cause {
            FetchCause::Offline => "run again without --offline, or install once while online",
            FetchCause::Timeout { phase: Phase::Total, .. } => {
                "raise fetch-timeout if the network is slow"
            }
            FetchCause::Timeout { .. } => {
                "check the network and the proxy settings, then try again"
            }
            FetchCause::Dns { .. } => {
                "check the registry's address, the network and the proxy settings"
            }
            FetchCause::Connect { .. } => {
                "check that the server is reachable, and the proxy settings"
            }
            FetchCause::OpenFiles { .. } => MORE_OPEN_FILES,
            FetchCause::Tls { hint, .. } => return Some(hint.clone()),
            FetchCause::ClientCertificate { .. } => {
                "name the certificate for this address with //host/path/:certfile and :keyfile in .npmrc"
            }
            FetchCause::Status { status, .. } => return Some(status_hint(*status).to_owned()),
            FetchCause::Truncated { .. } => {
                "try again; if it happens every time, a proxy on the way cuts answers off"
            }
            FetchCause::TooLarge { .. } => {
                "check that the address is right; max-package-size in your .npmrc allows larger packages"
            }
            FetchCause::Redirect { .. } => "check the registry's address and its settings",
            FetchCause::Forbidden { .. } => {
                "if the server is yours, name it as an upstream in the registry's configuration"
            }
            FetchCause::Scheme => "check the address in the lockfile or the manifest",
            FetchCause::Configuration { .. } => "correct it in .npmrc or in the environment",
        };
        Some(hint.to_owned())
    }
}

fn status_hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => "check the credentials for this address in .npmrc",
        404 | 410 => {
            "check the name and the address; private packages are hidden from those not logged in"
        }
        407 => "check the user and password in the proxy setting",
        402 | 451 => "ask those who run the registry, or choose another version",
        408 | 429 => "wait a little, or lower network-concurrency",
        500..=599 => "the server has a problem of its own; try again later",
        _ => "check the address",
    }
}

/// ` in 3 tries`, or nothing for a single try.
struct Tries(u32);

impl fmt::Display for Tries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 1 { write!(f, " in {} tries", self.0) } else { Ok(()) }
    }
}

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

struct ServerMessage<'a>(Option<&'a str>);

impl fmt::Display for ServerMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

struct OfExpected(Option<u64>);

impl fmt::Display for OfExpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |expected| write!(f, " of {expected}"))
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "connecting",
            Self::Idle => "waiting for the server",
            Self::Total => "the transfer",
        })
    }
}
