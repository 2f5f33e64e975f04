//! Why a server's certificate is refused, and what helps.

use super::certificate::{Certificate, common_names};
use super::name::host_names;
use dx_pkg_core::text::plain_text;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, OtherError};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// The most names of a certificate that a message lists, and the longest, in characters.
const LISTED: usize = 4;
const LONGEST_NAME: usize = 80;

/// The cause of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Unreadable,
    /// Its last second, since 1970.
    Expired(i64),
    /// Its first second, since 1970.
    NotYetValid(i64),
    Name,
    Issuer,
    /// The validity of an authority's certificate.
    AuthorityTime,
    Purpose,
    CriticalExtension,
    Signature,
    Algorithm,
}

impl Cause {
    /// Returns the cause that webpki tells, where its error is one of these.
    pub(super) fn of(error: &rustls::Error) -> Option<Self> {
        use CertificateError as Error;
        let rustls::Error::InvalidCertificate(error) = error else {
            return None;
        };
        let seconds =
            |time: &rustls::pki_types::UnixTime| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Some(match error {
            Error::ExpiredContext { not_after, .. } => Self::Expired(seconds(not_after)),
            Error::NotValidYetContext { not_before, .. } => Self::NotYetValid(seconds(not_before)),
            Error::NotValidForName | Error::NotValidForNameContext { .. } => Self::Name,
            Error::UnknownIssuer => Self::Issuer,
            Error::BadSignature => Self::Signature,
            Error::UnsupportedSignatureAlgorithmContext { .. }
            | Error::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => Self::Algorithm,
            Error::InvalidPurpose | Error::InvalidPurposeContext { .. } => Self::Purpose,
            _ => return None,
        })
    }
}

impl Cause {
    /// Returns this cause, found by webpki, where the server's own certificate is right.
    pub(super) fn above_the_server(self) -> Self {
        match self {
            Self::Expired(_) | Self::NotYetValid(_) => Self::AuthorityTime,
            Self::Signature | Self::Algorithm => self,
            _ => Self::Issuer,
        }
    }
}

/// Where the trusted certificates come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TrustedFrom {
    /// The system, or the built-in list.
    Defaults,
    /// The defaults and the file that `NODE_EXTRA_CA_CERTS` names.
    Extra(PathBuf),
    /// The defaults; the file that `NODE_EXTRA_CA_CERTS` names does not exist.
    MissingExtra(PathBuf),
    /// `ca`, `cafile` or both, in place of the defaults.
    Settings(String),
}

/// A certificate that is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    cause: Cause,
    host: String,
    names: Vec<String>,
    issuer: String,
    is_self_signed: bool,
    trusted: TrustedFrom,
}

impl Refusal {
    pub(super) fn new(
        cause: Cause,
        certificate: &CertificateDer<'_>,
        host: &ServerName<'_>,
        trusted: &TrustedFrom,
    ) -> Self {
        Self::of(cause, certificate, &host.to_str(), trusted)
    }

    /// A server whose key is too short.
    pub(super) fn weak_key(certificate: &CertificateDer<'_>, trusted: &TrustedFrom) -> Self {
        Self::of(Cause::Algorithm, certificate, "", trusted)
    }

    fn of(
        cause: Cause,
        certificate: &CertificateDer<'_>,
        host: &str,
        trusted: &TrustedFrom,
    ) -> Self {
        let plain = |text: &str| plain_text(text, LONGEST_NAME);
        let read = Certificate::read(certificate);
        let names = read.as_ref().map(|read| host_names(read)).unwrap_or_default();
        let issuer = read.as_ref().and_then(|read| common_names(read.issuer).last().copied());
        Self {
            cause,
            host: plain(host),
            names: names.into_iter().map(plain).filter(|name| !name.is_empty()).collect(),
            issuer: issuer.map_or_else(|| "an authority without a name".to_owned(), plain),
            is_self_signed: read.as_ref().is_some_and(Certificate::is_self_issued),
            trusted: trusted.clone(),
        }
    }

    pub(super) fn into_error(self) -> rustls::Error {
        CertificateError::Other(OtherError(Arc::new(self))).into()
    }

    /// Returns what the user can do, given what is configured already.
    pub(crate) fn hint(&self) -> String {
        match self.cause {
            Cause::Issuer => self.trust_hint(),
            Cause::Name => {
                "use the name in the certificate as the registry's address, or have a \
                 certificate made for this one"
            }
            .to_owned(),
            Cause::Expired(_) | Cause::NotYetValid(_) => {
                { "check this machine's clock; if it is right, the server needs a new certificate" }
                    .to_owned()
            }
            Cause::Algorithm => {
                "the server needs a certificate that is signed with SHA-256 or better, by a key \
                 of at least 2048 bits if it is an RSA key"
            }
            .to_owned(),
            Cause::Purpose => {
                { "the server needs a certificate whose key usage allows server authentication" }
                    .to_owned()
            }
            Cause::AuthorityTime => {
                "check this machine's clock; if it is right, the server needs a current \
                 certificate of that authority"
            }
            .to_owned(),
            Cause::Unreadable | Cause::CriticalExtension | Cause::Signature => {
                { "the server needs another certificate" }.to_owned()
            }
        }
    }

    fn trust_hint(&self) -> String {
        let certificate = if self.is_self_signed {
            "this certificate".to_owned()
        } else {
            format!("the certificate of {}", self.issuer)
        };
        match &self.trusted {
            TrustedFrom::Defaults if self.is_self_signed => {
                "if the certificate is your own, name it with cafile or NODE_EXTRA_CA_CERTS"
                    .to_owned()
            }
            TrustedFrom::Defaults => {
                "if the server's certificate comes from your own authority, name it with cafile \
                 or NODE_EXTRA_CA_CERTS"
                    .to_owned()
            }
            TrustedFrom::Extra(path) => format!(
                "if you trust it, add {certificate} to {}, which NODE_EXTRA_CA_CERTS names",
                path.display()
            ),
            TrustedFrom::MissingExtra(path) => format!(
                "NODE_EXTRA_CA_CERTS names {}, which does not exist: correct the path",
                path.display()
            ),
            TrustedFrom::Settings(place) => format!(
                "only what {place} holds is trusted, without the system's authorities: if you \
                 trust it, add {certificate} there"
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Cause::Issuer if self.is_self_signed => {
                write!(f, "the server's certificate is self-signed, and not a trusted one")
            }
            Cause::Issuer => write!(
                f,
                "the server's certificate comes from {}, which is not trusted, or the server \
                 does not send the certificates that lead to a trusted authority",
                self.issuer
            ),
            Cause::Name if self.names.is_empty() => {
                write!(f, "the server's certificate is for no host, and so not for {}", self.host)
            }
            Cause::Name => {
                let more = if self.names.len() > LISTED { ", …" } else { "" };
                let names = self.names[..self.names.len().min(LISTED)].join(", ");
                let host = &self.host;
                write!(f, "the server's certificate is for {names}{more}, and not for {host}")
            }
            Cause::Expired(last) => {
                write!(f, "the server's certificate expired on {}", date(last))
            }
            Cause::NotYetValid(first) => {
                write!(f, "the server's certificate is only valid from {} on", date(first))
            }
            Cause::AuthorityTime => f.write_str(
                "the certificate of an authority above the server's is expired or not valid yet",
            ),
            Cause::Purpose => f.write_str("the server's certificate is not meant for servers"),
            Cause::Algorithm => f.write_str(
                "the server's certificate, or its authority's, has a key or a signature that is \
                 too weak or of an unknown kind",
            ),
            Cause::Signature => f.write_str("the signature of the server's certificate is wrong"),
            Cause::CriticalExtension => f.write_str(
                "the server's certificate has an extension that must be understood, and is not",
            ),
            Cause::Unreadable => f.write_str("the server's certificate cannot be read"),
        }
    }
}

impl std::error::Error for Refusal {}

fn date(seconds: i64) -> String {
    let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    httpdate::fmt_http_date(UNIX_EPOCH + seconds)
}
