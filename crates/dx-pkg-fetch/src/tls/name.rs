//! Whether a certificate is for a host, by the rules of Node.js.
//!
//! They are wider than those of RFC 6125: a certificate without host names among its
//! `subjectAltName` is for its common name, and a `*` may stand for a part of the first label.

use super::certificate::{Certificate, DNS_NAME, IP_ADDRESS, common_names};
use rustls::pki_types::{IpAddr, ServerName};

/// Returns whether `certificate` is for `host`.
pub(super) fn is_for(certificate: &Certificate<'_>, host: &ServerName<'_>) -> bool {
    match host {
        ServerName::IpAddress(IpAddr::V4(address)) => has_address(certificate, address.as_ref()),
        ServerName::IpAddress(IpAddr::V6(address)) => has_address(certificate, address.as_ref()),
        ServerName::DnsName(host) => {
            host_names(certificate).iter().any(|pattern| fits(host.as_ref(), pattern))
        }
        _ => false,
    }
}

/// Returns the host names that a certificate is for: those of `subjectAltName`, or its common
/// names where there are none.
pub(super) fn host_names<'c>(certificate: &Certificate<'c>) -> Vec<&'c str> {
    let names = &certificate.extensions.alternative_names;
    let listed = names.iter().filter(|(kind, _)| *kind == DNS_NAME);
    let listed: Vec<_> = listed.map(|(_, name)| std::str::from_utf8(name).unwrap_or("")).collect();
    if listed.is_empty() { common_names(certificate.subject) } else { listed }
}

fn has_address(certificate: &Certificate<'_>, address: &[u8]) -> bool {
    let names = &certificate.extensions.alternative_names;
    names.iter().any(|(kind, name)| *kind == IP_ADDRESS && *name == address)
}

/// Returns whether `pattern`, a name in a certificate, covers `host`.
fn fits(host: &str, pattern: &str) -> bool {
    let labels = |name: &str| -> Vec<String> {
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        name.split('.').map(str::to_owned).collect()
    };
    let (host, pattern) = (labels(host), labels(pattern));
    let is_plain = |label: &String| {
        !label.is_empty() && label.bytes().all(|byte| (b'!'..=b'~').contains(&byte))
    };
    if host.len() != pattern.len() || !pattern.iter().all(is_plain) || host[1..] != pattern[1..] {
        return false;
    }
    let (host, first) = (host[0].as_str(), pattern[0].as_str());
    match first.split_once('*') {
        None => host == first,
        Some(_) if first.contains("xn--") => host == first,
        // One that covers a whole top-level domain, or several in one label.
        Some((_, after)) if pattern.len() <= 2 || after.contains('*') => false,
        Some((before, after)) => {
            host.len() >= before.len() + after.len()
                && host.starts_with(before)
                && host.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests;
