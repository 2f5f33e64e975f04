//! Any bytes as the certificate of a server, and as a file of authorities: refused, or read, and
//! what is read lies within the bytes.

#[path = "../../crates/dx-pkg-fetch/src/tls/cafile.rs"]
mod cafile;
#[allow(clippy::module_inception, reason = "named as where it lies")]
#[allow(dead_code, reason = "signatures are not verified here")]
#[path = "../../crates/dx-pkg-fetch/src/tls/certificate.rs"]
mod certificate;
#[allow(dead_code, reason = "signatures are not verified here")]
#[path = "../../crates/dx-pkg-fetch/src/tls/der.rs"]
mod der;
#[path = "../../crates/dx-pkg-fetch/src/tls/name.rs"]
mod name;

use certificate::{Certificate, PublicKey};
use rustls::pki_types::{CertificateDer, ServerName};

pub(crate) fn run(data: &[u8]) {
    for authority in cafile::certificates(data) {
        read(&authority);
    }
    read(&CertificateDer::from(data));
}

fn read(bytes: &CertificateDer<'_>) {
    let Some(certificate) = Certificate::read(bytes) else { return };
    let Certificate { signed, signature, issuer, subject, key, extensions, .. } = &certificate;
    let PublicKey { algorithm, bytes: key } = key;
    let within = bytes.as_ref().as_ptr_range();
    for part in [signed, signature, issuer, subject, algorithm, key] {
        let part = part.as_ptr_range();
        assert!(within.start <= part.start && part.end <= within.end);
    }
    assert!(extensions.alternative_names.len() <= bytes.len());
    let _ = certificate.is_self_issued();
    for host in ["a.registry.example", "127.0.0.1", "::1"] {
        let host = ServerName::try_from(host).expect("a host");
        let listed = name::host_names(&certificate).len() + extensions.alternative_names.len();
        assert!(!name::is_for(&certificate, &host) || listed > 0);
    }
}
