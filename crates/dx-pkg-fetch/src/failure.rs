//! Turns what the HTTP client reports into the cause of a failure.

use crate::error::{FetchCause, Phase, innermost};
use crate::text::redact_text;
use crate::tls::Refusal;
use dx_pkg_core::coded::is_too_many_files;
use rustls::CertificateError;
use std::time::Duration;

/// Converts an error that the HTTP client reports before the body.
pub(crate) fn of_request(error: reqwest::Error, connect_limit: Duration) -> FetchCause {
    let error = error.without_url();
    if let Some(dns) = find::<crate::dns::DnsError>(&error) {
        if dns.is_forbidden {
            return FetchCause::Forbidden { host: redact_text(&dns.host) };
        }
        return FetchCause::Dns {
            host: redact_text(&dns.host),
            reason: redact_text(&dns.to_string()),
        };
    }
    if let Some(tls) = find::<rustls::Error>(&error) {
        return of_tls(tls);
    }
    if error.is_connect() && error.is_timeout() {
        return FetchCause::Timeout { phase: Phase::Connect, limit: connect_limit };
    }
    FetchCause::Connect { reason: innermost(&error) }
}

fn of_tls(error: &rustls::Error) -> FetchCause {
    use rustls::AlertDescription as Alert;
    if let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error
        && let Some(refusal) = other.0.downcast_ref::<Refusal>()
    {
        return FetchCause::Tls { reason: refusal.to_string(), hint: refusal.hint() };
    }
    let reason = redact_text(&error.to_string());
    let tls = |reason: &str, hint: &str| FetchCause::Tls {
        reason: reason.to_owned(),
        hint: hint.to_owned(),
    };
    match error {
        // Sent by a server, these are about the client's certificate (RFC 8446 §6.2).
        rustls::Error::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied,
        ) => FetchCause::ClientCertificate { reason },
        rustls::Error::AlertReceived(Alert::HandshakeFailure | Alert::InsufficientSecurity) => tls(
            "the server shares no cipher suite or group with dx",
            "enable TLS 1.3 on the server, or a suite of TLS 1.2 with ephemeral keys \
                 (ECDHE); those whose keys are RSA or DHE are not supported",
        ),
        rustls::Error::AlertReceived(Alert::ProtocolVersion)
        | rustls::Error::PeerIncompatible(
            rustls::PeerIncompatible::ServerDoesNotSupportTls12Or13
            | rustls::PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        ) => tls(
            "the server speaks only versions of TLS before 1.2, which are not secure",
            "enable TLS 1.2 or 1.3 on the server",
        ),
        rustls::Error::InvalidMessage(_) => tls(
            &format!("what the server answers is not TLS ({reason})"),
            "check the address: a server without TLS is reached by http:",
        ),
        _ => tls(&reason, "check the server's TLS settings, and any proxy on the way"),
    }
}

/// Finds an `E` among the causes of `error`, inside I/O errors too.
fn find<'a, E: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Returns whether a request failed because this process or the system has too many files open.
pub(crate) fn lacks_descriptors(error: &reqwest::Error) -> bool {
    find::<std::io::Error>(error).is_some_and(is_too_many_files)
}
